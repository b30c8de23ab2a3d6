"""Every KPI that a rule can look at: its minutes come to what `ringback kpi` says of the same time."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from support.clickhouse import connect
from support.kpi_world import KPIS, RANGE, RULES, Stored, make_world, store

from alerts.counting import is_counted, percent_of, scale_of
from alerts.decisions import decisions
from alerts.detectors import detector_of
from alerts.label_sets import minutes_of, series_of
from alerts.oracle import by_sql
from alerts.rule import Group
from alerts.rule_file import read_rules
from kpis.catalogue.kpi import Kpi
from reports.kpi.answer import answer
from reports.kpi.question import Question

pytestmark = pytest.mark.stack
COUNTED = [kpi for kpi in KPIS.values() if is_counted(kpi)]
OTHERS = [kpi for kpi in COUNTED if kpi.table != "windows"]
RULE = """version: 1
groups:
  - name: g
    interval: 5m
    rules:
      - {{alert: A, kpi: {kpi}, by: {by}, for: 0s, keep_firing_for: 0s, settle: 0s, when: {when}}}
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    client = connect(tmp_path_factory.mktemp("kpis"))
    yield store(client, make_world(random.Random(16)))
    client.close()


def group_of(kpi: str, by: str, when: str) -> Group:
    (group,) = read_rules(RULE.format(kpi=kpi, by=by, when=when), "r.yaml", KPIS).groups
    return group


def counted(stored: Stored, kpi: Kpi, span: tuple[int, int]) -> tuple[int, int]:
    """Both terms of a KPI over a time, from the minutes of a rule."""
    length = f"{(span[1] - span[0]) // 60_000}m"
    group = group_of(kpi.id, "[]", f'{{type: threshold, op: ">", limit: 1, window: {length}}}')
    (rule,) = group.rules
    detectors = {"A": detector_of(rule, kpi, "UTC")}
    minutes = minutes_of(stored.client, group, KPIS, detectors, (span[1], span[1]), RULES)
    found = series_of(rule, KPIS, minutes, RULES.async_channels)
    if not found:
        return 0, 0
    num, den = found[()][0].since(span[0], span[1])
    return num, den * scale_of(kpi)


def test_minutes_come_to_what_the_kpi_is(stored: Stored) -> None:
    """Of all KPIs, so that one that is new is looked at as well."""
    seen: set[str] = set()
    (row,) = answer(stored.client, Question(*RANGE, kpis=tuple(kpi.id for kpi in COUNTED)), RULES)
    for kpi in COUNTED:
        value: dict[str, Any] = row["kpis"][kpi.id]
        num, den = counted(stored, kpi, RANGE)
        wanted = value["num"] * kpi.parts, value["den"] * kpi.parts
        assert value["value"] == (num if not kpi.den else num / den if den else None), kpi.id
        if kpi.den and value["num"]:
            assert (num * wanted[1], den > 0) == (wanted[0] * den, True), kpi.id
        seen |= {kpi.table} if num else set()
    assert seen == {"windows", "surveys", "callbacks", "agents", "states", "fcr"}


SHARE = (
    '{type: objective, op: "<", target: 0.9, p_value: 0.2, windows: [4h, 1d], min_samples: 1, fresh_min: 1}'
)
RISE = '{type: objective, op: ">", target: 0.1, p_value: 0.001, min_samples: 1, fresh_min: 1}'
WHENS = (
    ("csat_t2b", "[]", SHARE),
    ("csat_t2b.by_response", "[channel]", SHARE),
    ("survey_fcr", "[queue]", SHARE),
    ("csat", "[]", '{type: threshold, op: "<", limit: 3.2, clear: 3.4, window: 12h, min_samples: 1}'),
    ("nps", "[]", '{type: threshold, op: "<", limit: -5, window: 12h, min_samples: 1}'),
    ("csat.normalised", "[]", '{type: threshold, op: "<", limit: 0.45, window: 8h, min_samples: 1}'),
    ("occupancy", "[]", '{type: threshold, op: ">", limit: 0.5, window: 30m}'),
    ("concurrent_aht", "[agent]", '{type: threshold, op: ">", limit: 10m, window: 1h, min_samples: 1}'),
    ("pause_time", "[team]", '{type: threshold, op: ">", limit: 20m, window: 1h}'),
    ("pause_rate", "[reason]", '{type: threshold, op: ">", limit: 0.3, window: 1h}'),
    ("callback_fulfilment_rate", "[]", SHARE),
    ("callbacks_requested", "[channel, queue]", '{type: threshold, op: ">", limit: 1, window: 12h}'),
    ("repeat_contact_rate.w7d", "[]", RISE),
    ("wait_p90", "[]", '{type: threshold, op: ">", limit: 1m, clear: 20s, window: 4h, min_samples: 2}'),
    ("wait_p50", "[channel]", '{type: threshold, op: "<", limit: 20s, window: 8h, min_samples: 1}'),
    ("longest_wait", "[queue]", '{type: threshold, op: ">", limit: 5m, window: 4h}'),
    ("longest_hold", "[]", '{type: threshold, op: ">", limit: 10s, window: 4h}'),
    ("active_now", "[]", '{type: threshold, op: ">", limit: 3, clear: 2}'),
    ("acw_now", "[queue]", '{type: threshold, op: ">", limit: 0}'),
    ("hold_time_avg", "[channel]", '{type: threshold, op: ">", limit: 90s, window: 4h, min_samples: 1}'),
)  # fmt: skip


@pytest.mark.parametrize(("kpi", "by", "when"), WHENS, ids=lambda given: given[:24])
def test_sql_decides_the_same_of_any_kpi(stored: Stored, kpi: str, by: str, when: str) -> None:
    group = group_of(kpi, by, when)
    span = (RANGE[0] + 30 * 3_600_000, RANGE[0] + 100 * 3_600_000)
    (rule,), detectors = group.rules, {"A": detector_of(group.rules[0], KPIS[kpi], "UTC")}
    minutes = minutes_of(stored.client, group, KPIS, detectors, span, RULES)
    found = decisions(group, rule, KPIS, detectors["A"], minutes, span, RULES.async_channels)
    assert found
    assert by_sql(stored.client, group, rule, KPIS[kpi], span, RULES, "UTC") == found


def test_a_percentile_is_beyond_a_limit_when_the_kpi_is(stored: Stored) -> None:
    """Of the whole range: it is beyond a limit that is a millisecond nearer, and not beyond itself."""
    known = [kpi for kpi in KPIS.values() if percent_of(kpi)]
    (row,) = answer(stored.client, Question(*RANGE, kpis=tuple(kpi.id for kpi in known)), RULES)
    for kpi in known:
        value = row["kpis"][kpi.id]["value"]
        for op, limit, is_off in (
            (">", value - 1, True),
            (">", value, False),
            ("<", value + 1, True),
            ("<", value, False),
        ):
            length = f"{(RANGE[1] - RANGE[0]) // 60_000}m"
            when = f'{{type: threshold, op: "{op}", limit: {limit}ms, window: {length}}}'
            group = group_of(kpi.id, "[]", when)
            (rule,), detector = group.rules, detector_of(group.rules[0], kpi, "UTC")
            minutes = minutes_of(stored.client, group, KPIS, {"A": detector}, (RANGE[1], RANGE[1]), RULES)
            (parts,) = series_of(rule, KPIS, minutes, RULES.async_channels).values()
            assert detector.look(parts, RANGE[1], 0).breach == bool(is_off), (kpi.id, op, limit)
    assert len(known) == 8
