"""What rules look at, from ClickHouse: what waited at each minute, repeat contacts, the weeks before."""

import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from support.clickhouse import connect
from support.kpi_world import RULES, Stored, make_world, store

from alerts.detectors import detector_of
from alerts.episodes import episodes
from alerts.label_sets import minutes_of
from alerts.rule_file import read_rules
from kpis.catalogue.every_kpi import every_kpi
from kpis.tallies.live import is_waiting
from reports.minutes import minute_sums
from reports.waiting import waiting_minutes

pytestmark = pytest.mark.stack
M, H, D = 60_000, 3_600_000, 86_400_000
KPIS = every_kpi(RULES)
RULE = "      - {{alert: A{}, kpi: {}, when: {}, labels: {{severity: ticket}}}}\n"
WHENS = (
    ("longest_wait_now", '{type: threshold, op: ">", limit: 1s}'),
    ("waiting_now", '{type: threshold, op: ">", limit: 0}'),
    ("offered", "{type: absence, at_least_weeks: 1}"),
    ("volume", '{type: seasonal, op: ">", at_least_weeks: 2}'),
    ("fcr_gross", '{type: matured, op: "<", targets: {1: 0.99, 7: 0.99}, min_samples: 1, fresh_min: 1}'),
    ("service_level", '{type: burn_rate, op: "<", target: 0.8, burns: [{factor: 1, long: 1h, short: 5m}]}'),
    ("asa", '{type: threshold, op: ">", limit: 1ms, min_samples: 1}'),
    ("service_level.genesys", '{type: objective, op: "<", target: 0.8, usual: true}'),
    ("abandonment_rate", '{type: objective, op: ">", target: 0.08, min_samples: 1, fresh_min: 1}'),
)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    client = connect(tmp_path_factory.mktemp("alerts"))
    yield store(client, make_world(random.Random(15)))
    client.close()


def busy_from(stored: Stored) -> int:
    """A full hour, a day before half of the legs: single ones are weeks before all others."""
    entered = sorted(leg.entered_at for leg in stored.legs)
    return entered[len(entered) // 2] // H * H - D


def test_what_waited_at_each_minute_is_what_the_facts_say(stored: Stored) -> None:
    entered = [leg.entered_at for leg in stored.legs if leg.offered]
    begin = min(entered) // M * M - 5 * M
    end = begin + 20 * H
    wanted: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    for leg in stored.legs:
        for minute in range(max(begin, leg.entered_at // M * M - M), end, M):
            if is_waiting(leg, minute + M, RULES):
                wanted[minute, leg.channel, leg.queue or ""].append(minute + M - leg.entered_at)
    found = {
        (row.minute, row.channel, row.queue): (row.sums["waiting"], row.sums["longest_ms"])
        for row in waiting_minutes(stored.client, begin, end, RULES)
    }
    assert len(found) > 100
    assert found == {key: (len(ages), max(ages)) for key, ages in wanted.items()}


def test_hours_are_the_sums_of_their_minutes(stored: Stored) -> None:
    begin = busy_from(stored)
    names = ["offered", "answered"]
    minutes = minute_sums(stored.client, names, begin, begin + 3 * D)
    wanted: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in minutes:
        total = wanted[row.minute // H * H, row.channel, row.queue]
        total[:] = [a + row.sums[name] for a, name in zip(total, names, strict=True)]
    hours = minute_sums(stored.client, names, begin, begin + 3 * D, H)
    assert len(hours) > 10
    assert {
        (row.minute, row.channel, row.queue): [row.sums[name] for name in names] for row in hours
    } == wanted


def test_every_rule_type_reads_its_own_minutes(stored: Stored) -> None:
    head = "version: 1\ngroups:\n  - name: g\n    rules:\n"
    lines = "".join(RULE.format(number, *pair) for number, pair in enumerate(WHENS))
    (group,) = read_rules(head + lines, "r.yaml", KPIS).groups
    begin = busy_from(stored)
    span = (begin, begin + 2 * D)
    detectors = {rule.alert: detector_of(rule, KPIS[rule.kpi], "Europe/Rome") for rule in group.rules}
    minutes = minutes_of(stored.client, group, KPIS, detectors, span, RULES)
    fired: dict[str, list[Any]] = {
        rule.kpi: [*episodes(group, rule, KPIS, detectors[rule.alert], minutes, span, RULES.async_channels)]
        for rule in group.rules
    }
    assert fired["waiting_now"]
    assert fired["longest_wait_now"]
    assert fired["asa"]
    assert minutes["fcr", 1]
    assert minutes["fcr", 7]
