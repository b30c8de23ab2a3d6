"""Are decisions what SQL makes of the same minutes? And which were others by what was known at their time?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from alerts.decisions import Decision, decisions
from alerts.detectors import detector_of
from alerts.episodes import Episode
from alerts.label_sets import LabelSet, minutes_of
from alerts.oracle import by_sql
from alerts.rule import Group, RuleFile
from alerts.service import edge
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import Rules
from reports.queries import rows
from schemas.time_units import DAY_MS

# Episodes that were open at the begin are not known from minutes: decided is from a day before.
WARM_UP_MS = DAY_MS
ENDLESS = 2**62
STORED = """SELECT alert, labels, toUnixTimestamp64Milli(minIf(at, kind = 'firing')) AS fired_at,
    toUnixTimestamp64Milli(maxIf(at, kind != 'firing')) AS ended_at
FROM alert_transitions FINAL WHERE empty({alerts:Array(String)}) OR alert IN {alerts:Array(String)}
GROUP BY alert, labels, episode HAVING countIf(kind = 'firing' AND kpi != 'sql') != 0
    AND fired_at > {from_ms:Int64} AND fired_at <= {to_ms:Int64}"""
Spell = tuple[str, LabelSet, int, int]  # alert, labels, fired, over


@dataclass(frozen=True, slots=True)
class AlertReport:
    """What was compared. `by_one`: decisions that only the code or only SQL makes; there are to be none."""

    decided: int
    by_one: list[tuple[str, Decision]]
    stored: int
    only_stored: list[Spell]  # was decided, and would not be by what is known now
    only_now: list[Spell]


def steps_of(group: Group, span: tuple[int, int], now: int) -> tuple[int, int]:
    """From a day before the span, in whole steps, to what can have been decided by now."""
    begin, end = span[0] - WARM_UP_MS, min(span[1], edge(group, now))
    return begin - begin % group.interval, max(begin, end) // group.interval * group.interval


def compared(
    client: Client, file: RuleFile, rules: Rules, zone: str, span: tuple[int, int], now: int
) -> AlertReport:
    """All rules of a file but queries in (begin, end], as far as they are evaluated by now."""
    kpis, both, odd = every_kpi(rules), list[Decision](), list[tuple[str, Decision]]()
    for group in file.groups:
        whole = steps_of(group, span, now)
        detectors = {rule.alert: detector_of(rule, kpis[rule.kpi], zone) for rule in group.counted}
        minutes = minutes_of(client, group, kpis, detectors, whole, rules)
        for rule in group.counted:
            detector, channels = detectors[rule.alert], rules.async_channels
            own = decisions(group, rule, kpis, detector, minutes, whole, channels)
            both += own
            sql = by_sql(client, group, rule, kpis[rule.kpi], whole, rules, zone)
            odd += [("code", each) for each in own if each not in set(sql)]
            odd += [("SQL", each) for each in sql if each not in set(own)]
    names = [rule.alert for group in file.groups for rule in group.counted]
    stored = stored_spells(client, names, (span[0] - WARM_UP_MS, span[1])) if names else []
    again = spells(both)
    return AlertReport(
        sum(each.at > span[0] for each in both),
        [(by, each) for by, each in odd if each.at > span[0]],
        sum(each[2] > span[0] for each in stored),
        without([each for each in stored if each[2] > span[0]], again),
        without([each for each in again if each[2] > span[0]], stored),
    )


def spells(found: Sequence[Decision]) -> list[Spell]:
    """From when to when each episode fired."""
    ends = {(each.alert, each.labels, each.opened_at): each.at for each in found if each.kind != "firing"}
    return [
        (each.alert, each.labels, each.at, ends.get((each.alert, each.labels, each.opened_at), ENDLESS))
        for each in found
        if each.kind == "firing"
    ]


def stored_spells(client: Client, alerts: Sequence[str], span: tuple[int, int]) -> list[Spell]:
    """The same as it was decided, of what fired in (begin, end]; all but queries where none is named."""
    asked: Mapping[str, object] = {"alerts": list(alerts), "from_ms": span[0], "to_ms": span[1]}
    return [
        (row["alert"], tuple(row["labels"].items()), row["fired_at"], row["ended_at"] or ENDLESS)
        for row in rows(client, STORED, dict(asked))
    ]


@dataclass(frozen=True, slots=True)
class Beside:
    """What rules would have said beside what was decided live; alerts are the same by name and labels."""

    both: int
    only_these: list[Spell]
    only_live: list[Spell]


def beside(client: Client, episodes: Sequence[Episode], span: tuple[int, int]) -> Beside:
    """Episodes of rules over (begin, end] beside those that were decided live, by whatever rules."""
    these = [
        (each.alert, each.labels, each.fired_at, ENDLESS if each.ended_at is None else each.ended_at)
        for each in episodes
    ]
    live = stored_spells(client, [], (span[0] - WARM_UP_MS, span[1]))
    only_these = without(these, live)
    missing = without([each for each in live if each[2] > span[0]], these)
    return Beside(len(these) - len(only_these), only_these, missing)


def without(some: Sequence[Spell], others: Sequence[Spell]) -> list[Spell]:
    """Those that overlap with none of the others: late data may move an episode by minutes."""
    return [
        (alert, labels, fired, over)
        for alert, labels, fired, over in some
        if not any(
            alert == each[0] and dict(labels) == dict(each[1]) and fired <= each[3] and each[2] <= over
            for each in others
        )
    ]
