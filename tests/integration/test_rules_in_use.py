"""Worker, sink and commands with different rules, on the real stack: each names the other's."""

import json
from datetime import datetime

import pytest
from support.faults import Week
from support.numbers import stored
from support.stack import Stack, background, run_ringback

pytestmark = pytest.mark.stack
OTHER = json.dumps({"short_abandon_s": 10})
NAMED = "short_abandon_ms 10000, here 5000"


async def test_different_rules_are_named(stack: Stack) -> None:
    week, env = Week(21), stack.env()
    day = datetime.fromtimestamp(week.begin / 1000).date().isoformat()
    asked = ("kpi", "--from", day, "--to", day[:-2] + "28", "--kpi", "offered", "--format", "json")
    with background(stack.env(RINGBACK_RULES=OTHER), "worker"), background(env, "sink"):
        await week.send(stack)
        await stored(stack)
        told = run_ringback(env, *asked)
        assert NAMED in told.stderr
        assert "the worker (partition" in told.stderr
        assert "sink" not in told.stderr
        assert json.loads(told.stdout)
        report = json.loads(run_ringback(env, "verify", "--format", "json").stdout)
        assert any(NAMED in cause for cause in report["causes"])
        doctor = run_ringback(env, "doctor", "--format", "json")
        assert NAMED in doctor.stdout
        assert doctor.returncode == 1
        theirs = run_ringback(stack.env(RINGBACK_RULES=OTHER), *asked)
        assert "the sink makes the views by other rules: short_abandon_ms 5000, here 10000" in theirs.stderr
        assert "worker" not in theirs.stderr
    with background(env, "worker"), background(env, "sink"):
        await stored(stack)
        told = run_ringback(env, "verify", "--format", "json")
        assert json.loads(told.stdout)["causes"] == []
        assert told.returncode == 0
        assert "note" not in run_ringback(env, *asked).stderr
