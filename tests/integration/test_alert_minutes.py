"""What rules look at, from ClickHouse: what waited at each minute, repeat contacts, the weeks before."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.clickhouse import connect
from support.kpi_world import RULES, Stored, make_world, store

from alerts.decisions import decisions
from alerts.detectors import detector_of
from alerts.episodes import episodes
from alerts.label_sets import Source, label_set_counts, minutes_of
from alerts.oracle import by_sql
from alerts.rule import RuleFile
from alerts.rule_file import read_rules
from kpis.catalogue.every_kpi import every_kpi
from kpis.facts import ContactFact, LegFact
from kpis.rules import Rules
from kpis.tallies.live import is_active, is_in_acw, is_waiting
from kpis.tallies.windows import Booking, contact_bookings, entered, handled
from reports.fact_minutes import fact_minutes
from reports.minutes import minute_sums
from reports.moments import moment_minutes

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
    ("aht", '{type: log_mean, op: ">", target: 2s, p_value: 0.4, min_samples: 2, fresh_min: 2}'),
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
        (row.minute, row.channel, row.queue): (row.sums["legs_n"], row.sums["longest_ms"])
        for row in moment_minutes(stored.client, "waiting", begin, end, RULES)
    }
    assert len(found) > 100
    assert found == {key: (len(ages), max(ages)) for key, ages in wanted.items()}


@pytest.mark.parametrize(("moment", "is_so"), [("active", is_active), ("acw", is_in_acw)])
def test_who_was_served_at_each_minute_is_what_the_facts_say(
    stored: Stored, moment: str, is_so: Callable[[LegFact, int, Rules], bool]
) -> None:
    begin = busy_from(stored) - 10 * H
    end, wanted = begin + 40 * H, dict[tuple[int, str, str], int]()
    for leg in stored.legs:
        for minute in range(max(begin, leg.entered_at // M * M - M), end, M):
            if is_so(leg, minute + M, RULES):
                key = minute, leg.channel, leg.queue or ""
                wanted[key] = wanted.get(key, 0) + 1
    found = moment_minutes(stored.client, moment, begin, end, RULES)
    assert len(found) > 100
    assert {(row.minute, row.channel, row.queue): row.sums["legs_n"] for row in found} == wanted


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


BY_BRAND = ("waiting_now", "offered", "fcr_gross", "aht")


def brand_of(fact: LegFact | ContactFact) -> str:
    return fact.dimensions.get("brand", "")


def test_by_a_dimension_of_ones_own_is_counted_what_facts_that_carry_it_add(stored: Stored) -> None:
    names = ["offered", "answered_in_target", "handle_ms", "contacts"]
    wanted: dict[tuple[int, str, str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(names, 0))
    for facts in stored.facts:
        booked: list[tuple[LegFact | ContactFact, Booking]] = []
        booked += [(leg, entered(leg, RULES)) for leg in facts.legs if leg.offered]
        booked += [(leg, booking) for leg in facts.legs if (booking := handled(leg))]
        if facts.contact:
            booked += [(facts.contact, one) for one in contact_bookings(facts.contact, facts.legs, RULES)]
        for fact, (window, amounts) in booked:
            if brand := brand_of(fact):
                sums = wanted[*window, brand]
                for name in names:
                    sums[name] += amounts.get(name, 0)
    begin, end = min(wanted)[0], max(wanted)[0] + M
    found = fact_minutes(stored.client, names, ("brand",), begin, end, RULES)
    assert len(found) > 20
    assert {(row.minute, row.channel, row.queue, row.further["brand"]): row.sums for row in found} == {
        key: sums for key, sums in wanted.items() if any(sums.values())
    }
    waiting = moment_minutes(stored.client, "waiting", begin, end, RULES, ("brand",))
    assert sum(row.sums["legs_n"] for row in waiting) == sum(
        is_waiting(leg, minute + M, RULES)
        for leg in stored.legs if brand_of(leg)
        for minute in range(max(begin, leg.entered_at // M * M - M), end, M)
    )  # fmt: skip


def test_rules_by_a_dimension_of_ones_own_are_decided_by_sql_too(stored: Stored) -> None:
    begin = busy_from(stored) + D
    span, decided = (begin, begin + 6 * H), set[str]()
    for kpi, when in (each for each in WHENS if each[0] in BY_BRAND):
        rule = (
            f"      - {{alert: A, kpi: {kpi}, by: [brand], where: {{channel: [voice, chat]}}, "
            f"for: 0s, when: {when}, labels: {{severity: ticket}}}}\n"
        )
        head = "version: 1\ngroups:\n  - name: g\n    interval: 5m\n    rules:\n"
        (group,) = read_rules(head + rule, "r.yaml", KPIS).groups
        detectors = {each.alert: detector_of(each, KPIS[kpi], "Europe/Rome") for each in group.rules}
        minutes = minutes_of(stored.client, group, KPIS, detectors, span, RULES)
        found = decisions(group, group.rules[0], KPIS, detectors["A"], minutes, span, RULES.async_channels)
        assert found == by_sql(stored.client, group, group.rules[0], KPIS[kpi], span, RULES, "Europe/Rome"), (
            kpi
        )
        decided |= {kpi} if found else set()
    assert {"waiting_now", "aht"} <= decided
    assert label_set_counts(stored.client, RuleFile(version=1, groups=(group,)), KPIS, (), span)["A"] > 1


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
    assert minutes[Source("fcr", 1)]
    assert minutes[Source("fcr", 7)]
