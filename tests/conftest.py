"""Makes tests/ importable (`from support.tables import ...`); sets how hard hypothesis and brokers try."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from adapters.kit.options import options, use

SLOW = [HealthCheck.too_slow]

settings.register_profile("moderate", max_examples=200, deadline=None, suppress_health_check=SLOW)
settings.register_profile("deep", max_examples=3_000, deadline=None, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "moderate"))

# Brokers of tests live for seconds: Java's second compiler would cost each of them more CPU than it saves.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")


@pytest.fixture
def source_options() -> Iterator[None]:
    """What a test tells sources is forgotten after it."""
    before = options()
    yield
    use(before)
