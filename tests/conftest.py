"""Makes tests/ importable (`from support.tables import ...`); sets how hard hypothesis and brokers try."""

import os

from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow]

settings.register_profile("moderate", max_examples=200, deadline=None, suppress_health_check=SLOW)
settings.register_profile("deep", max_examples=3_000, deadline=None, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "moderate"))

# Brokers of tests live for seconds: Java's second compiler would cost each of them more CPU than it saves.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
