"""From minutes of channels and queues to one series per label set of a rule."""

from collections.abc import Iterable, Mapping

from clickhouse_connect.driver.client import Client

from alerts.rule import Group, Rule
from kpis.catalogue.kpi import Kpi, applicable, total
from kpis.dips.ladder import Series
from reports.minutes import MinuteSums, minute_sums

LabelSet = tuple[tuple[str, str], ...]  # of a rule's `by`, in its order


def minutes_of(
    client: Client, group: Group, kpis: Mapping[str, Kpi], span: tuple[int, int]
) -> list[MinuteSums]:
    """All that a group is about, in one question, from its longest window before the span on."""
    measures = {name: None for rule in group.rules for name in (*kpis[rule.kpi].num, *kpis[rule.kpi].den)}
    longest = max(rule.when.windows[-1] for rule in group.rules)
    return minute_sums(client, [*measures], span[0] - longest, span[1])


def is_meant(rule: Rule, minute: MinuteSums, kpi: Kpi, async_channels: tuple[str, ...]) -> bool:
    """Does the rule look at this channel and queue, and does its KPI mean anything there?"""
    if not applicable(kpi, minute.channel, async_channels):
        return False
    own = {"channel": minute.channel, "queue": minute.queue}
    return all(own[name] in values for name, values in rule.where.items())


def series_of(
    rule: Rule, kpi: Kpi, minutes: Iterable[MinuteSums], async_channels: tuple[str, ...]
) -> dict[LabelSet, Series]:
    """Numerator and denominator of the KPI per label set, minute by minute."""
    sums: dict[LabelSet, dict[int, tuple[int, int]]] = {}
    for minute in minutes:
        if is_meant(rule, minute, kpi, async_channels):
            own = {"channel": minute.channel, "queue": minute.queue}
            labels = tuple((name, own[name]) for name in rule.by)
            found = sums.setdefault(labels, {})
            before = found.get(minute.minute, (0, 0))
            found[minute.minute] = added(before, kpi, minute.sums)
    return {labels: series(found) for labels, found in sorted(sums.items())}


def added(before: tuple[int, int], kpi: Kpi, sums: Mapping[str, int]) -> tuple[int, int]:
    """Counts of a minute with those of one more channel or queue."""
    return before[0] + total(kpi.num, sums), before[1] + total(kpi.den, sums)


def series(minutes: Mapping[int, tuple[int, int]]) -> Series:
    """Minutes in their order; shares are between nothing and all, whatever corrections are under way."""
    found = Series()
    for minute, (successes, counted) in sorted(minutes.items()):
        if counted > 0:
            found.add(minute, min(max(successes, 0), counted), counted)
    return found
