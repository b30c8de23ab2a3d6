"""From minutes of channels and queues to the series of each label set of a rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from clickhouse_connect.driver.client import Client

from alerts.cells import Cells
from alerts.counting import (
    WINDOWS,
    Source,
    beyond_of,
    is_bounded,
    is_gauge,
    looked_at,
    per_one,
    source_of,
)
from alerts.rule import Group, Rule, RuleFile
from alerts.when import LogMeanWhen, MaturedWhen, ObjectiveWhen
from kpis.catalogue.kpi import Kpi, applicable, total
from kpis.dips.detector import Detector
from kpis.dips.ladder import Series
from kpis.dips.usual import hours_of
from kpis.rules import Rules
from reports.beyond_minutes import beyond_minutes
from reports.fact_minutes import fact_minutes, fcr_fact_minutes, log_minutes, places_of
from reports.minutes import MinuteSums, fcr_minutes, minute_sums, queues_of
from reports.moments import moment_minutes
from reports.other_minutes import other_minutes
from schemas.time_units import HOUR_MS, MINUTE_MS
from sql.kpi_queries import MOMENTS

LabelSet = tuple[tuple[str, str], ...]  # of a rule's `by`, in its order


LOGS = "logs of "  # and the measures of a mean: logarithms of durations, from facts
Minutes = Mapping[Source, Sequence[MinuteSums]]
Memory = dict[tuple[Source, tuple[str, ...], int, int], list[MinuteSums]]  # of hours, between evaluations


def parts_of(rule: Rule, kpi: Kpi, kpis: Mapping[str, Kpi]) -> list[tuple[Source, Kpi]]:
    """Where the minutes of a rule are, and what is counted in them: one part, or one per age."""
    if isinstance(rule.when, MaturedWhen):
        ages = sorted(rule.when.targets)
        return [(Source("fcr", days, rule.further), kpis[f"{kpi.id}.w{days}d"]) for days in ages]
    if isinstance(rule.when, LogMeanWhen):
        ((num, den),) = zip(kpi.num, kpi.den, strict=True)
        source = Source(f"{LOGS}{num}/{den}", 0, rule.further)
        return [
            (source, replace(kpi, num={name: 1}, den={"log_n": 1})) for name in ("log_sum", "log_squares")
        ]
    if (beyond := beyond_of(rule, kpi)) is not None:
        source = Source(beyond[0], 0, rule.further, limits=beyond[1])
        names = ("beyond_limit", "beyond_clear")
        return [(source, replace(kpi, num={name: 1}, den={"durations": 1})) for name in names]
    parts = [(source_of(kpi)._replace(further=rule.further), per_one(kpi))]
    if isinstance(rule.when, ObjectiveWhen) and rule.when.usual:  # the same by hour, of the weeks before
        parts.append((parts[0][0]._replace(hourly=True), kpi))
    return parts


def minutes_of(
    client: Client,
    group: Group,
    kpis: Mapping[str, Kpi],
    detectors: Mapping[str, Detector],
    span: tuple[int, int],
    rules: Rules,
    memory: Memory | None = None,
) -> Minutes:
    """All that a group is about: each table asked once for each stretch of time that its rules want."""
    measures: dict[Source, dict[str, None]] = {}
    spans: dict[Source, list[tuple[int, int]]] = {}
    for rule in group.counted:
        for source, kpi in parts_of(rule, kpis[rule.kpi], kpis):
            measures.setdefault(source, {}).update(dict.fromkeys((*kpi.num, *kpi.den)))
            own = [hours_of(*span)] if source.hourly else detectors[rule.alert].spans(*span)
            spans.setdefault(source, []).extend(own)
    return {
        source: [
            minute
            for begin, end in merged(spans[source])
            for minute in read(client, source, [*measures[source]], begin, end, rules, memory)
        ]
        for source in measures
    }


def label_set_counts(
    client: Client,
    file: RuleFile,
    kpis: Mapping[str, Kpi],
    async_channels: tuple[str, ...],
    span: tuple[int, int],
) -> dict[str, int]:
    """How many label sets each rule has, by the channels and queues of a time; of queries nobody knows."""
    rules = [rule for group in file.groups for rule in group.counted]
    known = {
        further: places_of(client, further, *span) if further else queues_of(client, *span)
        for further in {rule.further for rule in rules}
    }
    return {
        rule.alert: len(
            {
                labels_at(rule, each)
                for each in known[rule.further]
                if is_meant(rule, each, kpis[rule.kpi], async_channels)
            }
        )
        for rule in rules
    }


def read(
    client: Client,
    source: Source,
    measures: Sequence[str],
    begin: int,
    end: int,
    rules: Rules,
    memory: Memory | None,
) -> list[MinuteSums]:
    """Minutes of a source in [begin, end). Hours of earlier weeks are read once a day, with a memory."""
    if not source.hourly or memory is None:
        return counted(client, source, measures, begin, end, rules)
    key = source, tuple(measures), begin, end
    if key not in memory:
        found = counted(client, source, measures, begin, end, rules)
        for old in [other for other in memory if other[:2] == key[:2]]:
            del memory[old]
        memory[key] = found
    return memory[key]


def counted(
    client: Client, source: Source, measures: Sequence[str], begin: int, end: int, rules: Rules
) -> list[MinuteSums]:
    """What was counted in spells of time: in windows, or, where these have no such dimension, in facts."""
    table, days, further, hourly, limits = source
    every_ms = HOUR_MS if hourly else MINUTE_MS
    if limits is not None:
        return beyond_minutes(client, table, limits, further, begin, end, rules)
    if table in MOMENTS:
        return moment_minutes(client, table, begin, end, rules, further)
    if table.startswith(LOGS):
        num, den = table.removeprefix(LOGS).split("/")
        return log_minutes(client, num, den, further, begin, end, rules)
    if table == "fcr":
        if further:
            return fcr_fact_minutes(client, measures, further, days, begin, end)
        return fcr_minutes(client, measures, days, begin, end)
    if table != WINDOWS.table:
        return other_minutes(client, table, measures, further, begin, end, rules, every_ms)
    if further:
        return fact_minutes(client, measures, further, begin, end, rules, every_ms)
    return minute_sums(client, measures, begin, end, every_ms)


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches of time in their order, those that touch as one."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found


def is_meant(rule: Rule, minute: MinuteSums, kpi: Kpi, async_channels: tuple[str, ...]) -> bool:
    """Does the rule look at this channel, queue or other place, and does its KPI mean anything there?"""
    if not applicable(kpi, minute.channel, async_channels):
        return False
    if not rule.where:
        return True
    place = minute.place
    return all(place[name] in values for name, values in rule.where.items())


def labels_at(rule: Rule, minute: MinuteSums) -> LabelSet:
    """The label set that a place belongs to."""
    place = minute.place
    return tuple((name, place[name]) for name in rule.by)


def series_of(
    rule: Rule,
    kpis: Mapping[str, Kpi],
    minutes: Minutes,
    async_channels: tuple[str, ...],
    cells: Cells | None = None,
) -> dict[LabelSet, list[Series]]:
    """Numerator and denominator of the rule's KPI per label set, minute by minute, for each of its parts.

    With `cells` windows are counted from there, where a label set is a single channel and queue.
    """
    parts = parts_of(rule, kpis[rule.kpi], kpis)
    found: dict[LabelSet, list[Series]] = {}
    for number, (source, kpi) in enumerate(parts):
        if cells is not None and source == WINDOWS and {*rule.by} == {"channel", "queue"}:
            cells.take(minutes.get(source, ()))
            series = of_cells(rule, kpi, cells, async_channels)
        else:
            series = of_part(rule, kpi, minutes.get(source, ()), async_channels)
        for labels, own in series.items():
            found.setdefault(labels, [Series() for _ in parts])[number] = own
    return dict(sorted(found.items()))


def of_cells(rule: Rule, kpi: Kpi, cells: Cells, async_channels: tuple[str, ...]) -> dict[LabelSet, Series]:
    """The series of windows per label set, where each is of one channel and queue."""
    found: dict[LabelSet, Series] = {}
    for about in cells.places:
        if is_meant(rule, about, kpi, async_channels):
            found[labels_at(rule, about)] = cells.series(kpi, (about.channel, about.queue))
    return found


def of_part(
    rule: Rule, kpi: Kpi, minutes: Iterable[MinuteSums], async_channels: tuple[str, ...]
) -> dict[LabelSet, Series]:
    """The series of one part per label set."""
    sums: dict[LabelSet, dict[int, tuple[int, int]]] = {}
    for minute in minutes:
        if is_meant(rule, minute, kpi, async_channels):
            found = sums.setdefault(labels_at(rule, minute), {})
            before = found.get(minute.minute)
            found[minute.minute] = added(before, kpi, minute.sums)
    return {labels: series(found, is_bounded(kpi)) for labels, found in sums.items()}


def added(before: tuple[int, int] | None, kpi: Kpi, sums: Mapping[str, int]) -> tuple[int, int]:
    """Counts of a minute with those of one more channel or queue."""
    if is_gauge(kpi):
        value, legs_n = sums["longest_ms" if kpi.figure else "legs_n"], sums["legs_n"]
        if before is None:
            return value, legs_n
        return (max(before[0], value) if kpi.figure else before[0] + value), before[1] + legs_n
    num = total(kpi.num, sums)
    den = total(kpi.den, sums) if kpi.den else num
    return (num, den) if before is None else (before[0] + num, before[1] + den)


def series(minutes: Mapping[int, tuple[int, int]], bounded: bool) -> Series:
    """Minutes in their order."""
    found = Series()
    for minute, counts in sorted(minutes.items()):
        if (own := looked_at(*counts, bounded)) is not None:
            found.add(minute, *own)
    return found
