"""Figures in the views (kpis.catalogue.figure): the totals that they are made of, and their columns."""

from collections.abc import Iterable

from kpis.catalogue.figure import (
    Duration,
    Longest,
    LongestWaitNow,
    PeakHour,
    Quantile,
    unknown_figure,
)
from kpis.catalogue.kpi import Kpi
from sinks.views.columns import value_and_n
from sql.views.period import DAYS_ON, Column, Total, local_text

UNKNOWN = "CAST(NULL, 'Nullable(Int64)')"
# Each quarter-hour counts in the four hours that hold it.
PEAK = Total("x_quarter", "sumMapIf([{0} - 2700, {0} - 1800, {0} - 900, {0}], "
             "[m_contacts, m_contacts, m_contacts, m_contacts], m_contacts != 0)")  # fmt: skip
# Durations by what legs of sinks.views.sources have: has the leg one (1 or 0), and the value or NULL.
LegDurations = dict[Duration, tuple[str, str]]
ENTERED_DURATIONS: LegDurations = {
    "wait_ms": ("toInt64(answered)", "if(answered, queue_ms, NULL)"),
    "queue_ms": ("1", "queue_ms"),
}
HANDLED_DURATIONS: LegDurations = {
    "handle_ms": ("toInt64(isNotNull(handle_ms))", "handle_ms"),
    "hold_max_ms": ("toInt64(hold_n > 0)", "if(hold_n > 0, toNullable(hold_max_ms), NULL)"),
}


def longest_total(duration: Duration) -> str:
    """Name of the total that holds the greatest value; with _n how many legs have one."""
    return f"x_longest_{duration}"


def sorted_total(duration: Duration) -> str:
    """Name of the total that holds all values in order."""
    return f"x_sorted_{duration}"


def leg_totals(kpis: Iterable[Kpi], durations: LegDurations) -> dict[str, str]:
    """Totals that figures need of these durations, and what a leg adds to each."""
    values: dict[str, str] = {}
    for kpi in kpis:
        match kpi.figure:
            case Longest(duration) if duration in durations:
                there, value = durations[duration]
                values |= {longest_total(duration): value, f"{longest_total(duration)}_n": there}
            case Quantile(duration, _) if duration in durations:
                values[sorted_total(duration)] = durations[duration][1]
    return values


def figure_totals() -> dict[str, Total]:
    """Totals by name that are no sums."""
    durations = (*ENTERED_DURATIONS, *HANDLED_DURATIONS)
    longest = [Total(longest_total(name), "max({0})", UNKNOWN) for name in durations]
    ordered = [Total(sorted_total(name), "arraySort(groupArray({0}))", UNKNOWN) for name in durations]
    return {total.name: total for total in (*longest, *ordered, PEAK)}


def figure_columns(kpi: Kpi, every: str) -> list[Column]:
    """A KPI that is no quotient of sums."""
    match kpi.figure:
        case Longest(duration):
            total = f"t_{longest_total(duration)}"
            return value_and_n(kpi, total, f"{total}_n", "", "Nullable(Int64)")
        case Quantile(duration, percent):
            values = f"t_{sorted_total(duration)}"
            place = f"intDiv({percent} * length({values}) + 99, 100)"
            value = f"if(empty({values}), NULL, {values}[{place}])"
            return value_and_n(kpi, value, f"length({values})", "", "Nullable(Int64)")
        case PeakHour():
            return peak_columns(kpi, every) if every in DAYS_ON else []
        case LongestWaitNow():
            return value_and_n(kpi, "t_oldest_ms", "t_waiting_now", "", "Nullable(Int64)")
    raise unknown_figure(kpi.figure, "sinks/views/figures.py")


def peak_columns(kpi: Kpi, every: str) -> list[Column]:
    """The busiest hour within the period, as the local clock shows its begin."""
    inside = "(hour, contacts) -> hour >= start_s AND hour + 3600 <= toUnixTimestamp(window_end)"
    hours, counts = "t_x_quarter.1", "t_x_quarter.2"
    fitting = f"arrayFilter({inside}, {hours}, {counts})"
    totals = f"arrayFilter({inside.replace('(hour, contacts)', '(contacts, hour)')}, {counts}, {hours})"
    most = f"arrayMax({totals})"
    moment = local_text(f"{fitting}[indexOf({totals}, {most})]", "1h")
    shown = f"substring({moment}, 12, 5)" if every == "1d" else f"substring({moment}, 1, 16)"
    return value_and_n(kpi, f"if(empty({fitting}), NULL, {shown})", f"if(empty({fitting}), 0, {most})", "",
                "Nullable(String)")  # fmt: skip
