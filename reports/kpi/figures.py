"""KPIs that are no quotients of sums: extremes, quantiles, the peak hour, the present state."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kpis.catalogue.figure import (
    Duration,
    Longest,
    LongestWaitNow,
    PeakHour,
    Quantile,
    unknown_figure,
)
from kpis.catalogue.kpi import Kpi
from kpis.tallies.backlog import BACKLOG_MEASURES
from kpis.tallies.live import LIVE_MEASURES
from kpis.tallies.windows import MEASURES
from reports.kpi.question import from_windows
from reports.kpi.sums import KpiValues, Reading, Value, nothing, value_of
from sql import kpi_queries as text


def figure(kpi: Kpi, number: int, n: int, value: Any = None) -> Value:
    """A single figure: its own quotient by 1."""
    shown = number if value is None else value
    return {"value": shown, "unit": kpi.unit, "n": n, "num": number, "den": 1, "final": True}


def fact_values(reading: Reading, kpis: Sequence[Kpi]) -> KpiValues:
    """KPIs that are figures of single legs or contacts, read from fact rows."""
    found: KpiValues = defaultdict(dict)
    quantiles: dict[Duration, list[tuple[int, Kpi]]] = defaultdict(list)
    for kpi in kpis:
        match kpi.figure:
            case Quantile(duration, percent):
                quantiles[duration].append((percent, kpi))
            case Longest(duration):
                add_longest(reading, kpi, duration, found)
            case PeakHour():
                add_peaks(reading, kpi, found)
            case other:
                raise unknown_figure(other, "reports/kpi/figures.py")
    for duration, wanted in quantiles.items():
        add_quantiles(reading, duration, wanted, found)
    mark_provisional(reading, [kpi for kpi in kpis if kpi.booked == "entered" and kpi.grain == "leg"], found)
    return found


def add_longest(reading: Reading, kpi: Kpi, duration: Duration, found: KpiValues) -> None:
    """The greatest value of a duration."""
    query = text.longest(duration, reading.when, reading.question.by, reading.relations.legs)
    for row in reading.rows(query):
        found[reading.key(row)][kpi.id] = figure(kpi, int(row["longest"]), row["n"])


def add_peaks(reading: Reading, kpi: Kpi, found: KpiValues) -> None:
    """The busiest hour of each period, in the reporting time zone."""
    relations, zone = reading.relations, ZoneInfo(reading.question.zone)
    relation = text.contact_source(relations.contacts_with_ivr)
    if from_windows(reading.question):
        relation = text.window_source(relations.windows, MEASURES)
    for row in reading.rows(text.peak_hour(relation, reading.when, reading.question.by)):
        begin = datetime.fromtimestamp(row["begin_ms"] // 1000, UTC).astimezone(zone)
        found[reading.key(row)][kpi.id] = figure(kpi, row["begin_ms"], int(row["n"]), begin.isoformat())


def add_quantiles(
    reading: Reading, duration: Duration, wanted: Sequence[tuple[int, Kpi]], found: KpiValues
) -> None:
    """Percentiles of one duration, by one query."""
    percents = [*dict.fromkeys(percent for percent, _ in wanted)]
    query = text.quantiles(duration, percents, reading.when, reading.question.by, reading.relations.legs)
    for row in reading.rows(query):
        values = {kpi.id: figure(kpi, int(row[f"p{percent}"]), row["n"]) for percent, kpi in wanted}
        found[reading.key(row)] |= values


def mark_provisional(reading: Reading, kpis: Sequence[Kpi], found: KpiValues) -> None:
    """What is counted when legs enter their queue is not final while one of them still waits there."""
    if not kpis:
        return
    for row in reading.rows(text.waiting(reading.when, reading.question.by, reading.relations.legs)):
        for kpi in kpis:
            value = found.get(reading.key(row), {}).get(kpi.id)
            if value is not None:
                value["final"] = False


def whole_range(reading: Reading) -> tuple[datetime, datetime]:
    """Begin and end of the range, which a state at a moment is told of in place of a period."""
    begin, end = reading.question.from_ms, reading.question.to_ms
    return datetime.fromtimestamp(begin // 1000, UTC), datetime.fromtimestamp(end // 1000, UTC)


def backlog_values(reading: Reading, kpis: Sequence[Kpi]) -> KpiValues:
    """What is open at the moment, whatever the range."""
    relations, by = reading.relations, reading.question.by
    query = text.backlog_state(BACKLOG_MEASURES, by, relations.contacts, relations.legs)
    period = whole_range(reading)
    return {
        (*period, *reading.dimensions(row)): {kpi.id: value_of(kpi, row) for kpi in kpis}
        for row in reading.rows(query)
    }


def state_values(reading: Reading, kpis: Sequence[Kpi]) -> KpiValues:
    """The whole state at the moment, whatever the range."""
    wanted = [kpi for kpi in kpis if kpi.is_state]
    if not wanted:
        return {}
    question, period = reading.question, whole_range(reading)
    found: KpiValues = {}
    for row in reading.rows(text.live_state(LIVE_MEASURES, question.by, reading.relations.legs)):
        values = {kpi.id: state_value(kpi, row) for kpi in wanted}
        found[(*period, *reading.dimensions(row))] = values
    return found


def state_value(kpi: Kpi, row: dict[str, Any]) -> Value:
    """A KPI of the moment from what legs are at it."""
    match kpi.figure:
        case None:
            return value_of(kpi, row)
        case LongestWaitNow():
            waiting = int(row["waiting_now"])
            return figure(kpi, int(row["oldest_ms"]), waiting) if waiting else nothing(kpi)
    raise unknown_figure(kpi.figure, "reports/kpi/figures.py")
