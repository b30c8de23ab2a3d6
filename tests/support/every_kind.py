"""Left out of `make test` for its time: further kinds of something of which one kind is always run.

Of whole real logs through the stack that one is February in test_main_job; of kills, test_crashes.
"""

import os

import pytest

EVERY_KIND = pytest.mark.skipif(
    "RINGBACK_EVERY_KIND" not in os.environ, reason="RINGBACK_EVERY_KIND=1 runs it"
)
