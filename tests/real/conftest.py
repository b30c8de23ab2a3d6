"""A run of real clients ends in time: after ten minutes the rest is skipped, and says so."""

import pytest
from support.fetching import BUDGET_S, RUN_S, left_s


@pytest.fixture(autouse=True)
def _in_time() -> None:
    if left_s() < RUN_S:
        pytest.skip(f"the {BUDGET_S} s of this run are over (RINGBACK_REAL_BUDGET_S); the next run goes on")
