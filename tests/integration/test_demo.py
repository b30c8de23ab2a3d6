"""`ringback demo` as a newcomer runs it: a dip in one queue, its alert firing and resolving, and verify."""

import re
from pathlib import Path

import pytest
from support.stack import run_ringback

pytestmark = pytest.mark.stack


def test_the_demo_ends_with_a_dip_that_fires_and_resolves(tmp_path: Path) -> None:
    ended = run_ringback({"RINGBACK_DATA_DIR": str(tmp_path)}, "demo", "--seconds", "12", limit_s=240)
    assert ended.returncode == 0, ended.stderr
    said = " ".join(ended.stdout.split())
    alerts = re.findall(r"alert \d\d:\d\d (FIRING|RESOLVED) (\w+) voice (\w+)", said)
    assert ("FIRING", "ServiceLevelLow", "sales") in alerts
    assert ("RESOLVED", "ServiceLevelLow", "sales") in alerts
    assert {queue for _, _, queue in alerts} == {"sales"}
    assert "0 differences" in said
    assert "wallboard http://127.0.0.1:" in said
    pattern = (
        r"service level of sales, .* was .* \((\d+) of (\d+)\) and is .* \((\d+) of (\d+)\) because contact"
    )
    before, of, after, still = map(int, re.findall(pattern, said)[0])
    assert (after, still) == (before + 1, of)
