"""What a rule of any type decides depends on the minutes, not on how many of them are read at once."""

import random
from bisect import bisect_left
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from alerts.counting import GAUGES, WINDOWS, Source
from alerts.decisions import Decision, decisions
from alerts.evaluate import Evaluator
from alerts.label_sets import LOGS, Minutes, merged, parts_of
from alerts.ledger import Change, Ledger
from alerts.rule import Group, Rule, RuleFile
from kpis.dips.detector import Detector
from kpis.dips.weeks import WEEK_MS
from kpis.rules import DEFAULT_RULES
from kpis.tallies.windows import MEASURES
from reports.minutes import MinuteSums

M, H, D = 60_000, 3_600_000, 86_400_000
BASE = 1_767_571_200_000  # Monday 2026-01-05T00:00Z
SPAN = (BASE, BASE + 10 * H)
RULES: tuple[dict[str, Any], ...] = (
    {"alert": "Waiting", "kpi": "waiting_now", "when": {"type": "threshold", "op": ">", "limit": 3}},
    {"alert": "Few", "kpi": "offered", "when": {"type": "threshold", "op": "<", "limit": 9, "window": "5m"}},
    {"alert": "Slow", "kpi": "asa", "for": "0s",
     "when": {"type": "threshold", "op": ">", "limit": "20s", "clear": "15s", "min_samples": 3}},
    {"alert": "Long", "kpi": "aht",
     "when": {"type": "log_mean", "op": ">", "target": "45s", "p_value": 0.01}},
    {"alert": "Silent", "kpi": "offered", "when": {"type": "absence", "expected": 5, "weeks": 3}},
    {"alert": "Quiet", "kpi": "offered",
     "when": {"type": "seasonal", "op": "<", "p_value": 0.01, "weeks": 4, "windows": ["30m", "2h"]}},
    {"alert": "Burns", "kpi": "service_level", "labels": {"severity": "ticket"},
     "when": {"type": "burn_rate", "op": "<", "target": 0.8,
              "burns": [{"factor": 2, "long": "1h", "short": "5m"}]}},
    {"alert": "Repeats", "kpi": "fcr_net",
     "when": {"type": "matured", "op": "<", "targets": {"1": 0.85, "3": 0.7}, "windows": ["1h", "2h"],
              "min_samples": 8, "fresh_min": 5}},
    {"alert": "Low", "kpi": "service_level", "no_data": "alert",
     "when": {"type": "objective", "op": "<", "target": 0.8, "windows": ["15m", "30m", "1h"]}},
    {"alert": "LowOk", "kpi": "service_level", "no_data": "ok",
     "when": {"type": "objective", "op": "<", "target": 0.8}},
    {"alert": "SlowUnknown", "kpi": "asa", "no_data": "alert",
     "when": {"type": "threshold", "op": ">", "limit": "20s", "clear": "15s", "min_samples": 3}},
    {"alert": "LongUnknown", "kpi": "aht", "no_data": "alert",
     "when": {"type": "log_mean", "op": ">", "target": "45s", "p_value": 0.01}},
    {"alert": "SilentOk", "kpi": "offered", "no_data": "ok",
     "when": {"type": "absence", "expected": 5, "weeks": 3}},
    {"alert": "BurnsUnknown", "kpi": "service_level", "labels": {"severity": "ticket"}, "no_data": "alert",
     "when": {"type": "burn_rate", "op": "<", "target": 0.8,
              "burns": [{"factor": 2, "long": "1h", "short": "5m"}]}},
    {"alert": "RepeatsUnknown", "kpi": "fcr_net", "no_data": "alert",
     "when": {"type": "matured", "op": "<", "targets": {"1": 0.85, "3": 0.7}, "windows": ["1h", "2h"],
              "min_samples": 8, "fresh_min": 5}},
)  # fmt: skip


def counts(rng: random.Random, begin: int, minutes: int) -> list[MinuteSums]:
    """Minutes of two queues; one has hours in which nobody comes, the other is rarely called at all."""
    found = []
    for number in range(minutes):
        for queue in ("A", "B"):
            n = rng.choice((0, 1, 2, 4)) if queue == "A" else int(rng.random() < 0.02) * 12
            if n and not (queue == "A" and number // 60 % 5 == 3):
                good = sum(rng.random() < (0.3 if number // 60 % 4 == 1 else 0.9) for _ in range(n))
                own = {"answered_in_target": good, "service_level_n": n, "offered": n, "wait_n": n,
                       "wait_ms": 9_000 * good + 60_000 * (n - good), "legs_n": n, "longest_ms": 9_000 * n,
                       "log_sum": 15_000 * good + 17_000 * (n - good), "log_n": n,
                       "log_squares": 15_000**2 * good + 17_000**2 * (n - good),
                       "anchors_level1": n, "failed_level1": n - good}  # fmt: skip
                found.append(MinuteSums(begin + number * M, "voice", queue, dict.fromkeys(MEASURES, 0) | own))
    return found


def world(rng: random.Random, rule: Rule) -> dict[Source, list[MinuteSums]]:
    """What is in ClickHouse: hours of a day, and of days or weeks before, of which the oldest begins late."""
    every = D if rule.when.type == "matured" else WEEK_MS
    late, *others = (BASE - 6 * H - back * every for back in (3, 2, 1, 0))
    alone = counts(rng, late + 3 * H, 60)[:1]
    own = alone + counts(rng, late + 11 * H, 5 * 60)
    own += [minute for begin in others for minute in counts(rng, begin, 16 * 60)]
    return {
        WINDOWS: own,
        GAUGES["waiting_now"]: own,
        Source("fcr", 1): own,
        Source("fcr", 3): own,
        Source(f"{LOGS}handle_ms/handle_n"): own,
    }


def read(
    known: Minutes, rule: Rule, detector: Detector, evaluator: Evaluator, span: tuple[int, int], more: int = 0
) -> Minutes:
    """As label_sets.minutes_of reads: what the detector wants, and `more` that other rules want."""
    spans = merged((begin - more, end) for begin, end in detector.spans(*span))
    sources = {source for source, _ in parts_of(rule, evaluator.kpis[rule.kpi], evaluator.kpis)}
    found = {}
    for source in sources:
        rows, minute = known[source], attrgetter("minute")
        places = [
            (bisect_left(rows, low, key=minute), bisect_left(rows, high, key=minute)) for low, high in spans
        ]
        found[source] = [each for low, high in places for each in rows[low:high]]
    return found


def as_decided(change: Change) -> Decision:
    seen = [change.seen[name] for name in ("window_ms", "successes", "n")]
    return Decision(change.at, change.alert, change.labels, change.kind, change.opened_at, *seen)


def live(path: Path, group: Group, known: Minutes, rng: random.Random) -> list[Decision]:
    """What evaluators decide of which each sees some steps."""
    ledger, at = Ledger(path), SPAN[0]
    ledger.db.execute("PRAGMA synchronous = OFF")
    evaluator, (rule,) = Evaluator(DEFAULT_RULES, ledger, ()), group.rules
    detector = evaluator.detectors(group)[rule.alert]
    while at < SPAN[1]:
        end = min(at + rng.choice((1, 1, 2, 7)) * group.interval, SPAN[1])
        more = rng.choice((0, 0, 30 * M, 2 * D)) if at > SPAN[0] + H else 0
        evaluator._cells.clear()
        evaluator.evaluate(group, read(known, rule, detector, evaluator, (at, end), more), (at, end), end + M)
        at = end
    found = sorted(as_decided(change) for change in ledger.changes(10_000))
    ledger.close()
    return found


@pytest.mark.parametrize("given", RULES, ids=lambda rule: rule["alert"])
def test_decided_minute_by_minute_it_is_the_same(given: dict[str, Any], tmp_path: Path) -> None:
    rng, every = random.Random(given["alert"]), "5m" if given["when"]["type"] == "matured" else "1m"
    file = RuleFile.model_validate(
        {"version": 1, "groups": [{"name": "g", "interval": every, "rules": [given]}]}
    )
    (group,) = file.groups
    (rule,) = group.rules
    known = world(rng, rule)
    evaluator = Evaluator(DEFAULT_RULES, Ledger(tmp_path / "unused"), ())
    detector = evaluator.detectors(group)[rule.alert]
    at_once = decisions(
        group, rule, evaluator.kpis, detector, read(known, rule, detector, evaluator, SPAN), SPAN,
        DEFAULT_RULES.async_channels,
    )  # fmt: skip
    assert {each.kind for each in at_once} >= {"firing", "resolved"}
    assert live(tmp_path / "alerts.sqlite", group, known, rng) == at_once
