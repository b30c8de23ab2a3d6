"""Views with a row per local period and dimensions, made from the registry of KPIs."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from kpis.rules import Rules
from sinks.views.columns import applies, final_column, prefix, quotient_columns
from sinks.views.fact_sources import Dimensions, apart, fact_sources, of_agents
from sinks.views.figures import PEAK, figure_columns, figure_totals
from sinks.views.finality import STILL, final_columns
from sinks.views.sources import kpi_sources
from sql.kpi_queries import LEG_DIMENSIONS
from sql.views.grid import grid
from sql.views.period import (
    DAYS_ON,
    Column,
    PeriodView,
    Total,
    ViewSource,
    only_queues,
    period_view,
    zoned_view,
)

PERIOD = {
    "1m": "minute",
    "15m": "quarter-hour",
    "30m": "half-hour",
    "1h": "hour",
    "1d": "day",
    "1w": "week",
    "1M": "month",
}
BY_QUEUE: Dimensions = ("channel", "queue")
BY_AGENT: Dimensions = ("agent", "team")
BY_REASON: Dimensions = ("channel", "queue", "reason")
BY_QUEUE_AND_AGENT: Dimensions = ("channel", "queue", "agent", "team")
BY_ALL: Dimensions = LEG_DIMENSIONS
BY_OWN: Dimensions = ("channel", "queue", "dimension", "value")
ELSEWHERE = (
    "agents",
    "states",
    "live",
    "backlog",
)  # tables of KPIs that are not by channel and queue, or at a moment
WIDE, FIGURES, CALLBACKS = "_wide", "_figures", "_callbacks"
SINGLE_IN = {FIGURES: "facts", CALLBACKS: "callbacks"}  # tables of KPIs that are read from single legs


def chosen(rules: Rules, every: str, kind: str) -> list[Kpi]:
    """KPIs of a view by channel and queue: the core that is sums of windows, what single legs say, or all.

    Answers to surveys are no part of the core: planning the query of their sums takes longer than all else.
    """
    known = [kpi for kpi in every_kpi(rules).values() if kpi.table not in ELSEWHERE]
    if kind in (FIGURES, CALLBACKS):
        # Apart: durations are read by time, requests for a call back are found among all legs.
        return [k for k in known if k.table == SINGLE_IN[kind] and not k.variant_of]
    if kind == WIDE:
        # To read all legs takes longer than all else: minutes, which are asked for often, do without.
        return [kpi for kpi in known if every != "1m" or kpi.table not in SINGLE_IN.values()]
    return [kpi for kpi in known if kpi.table in ("windows", "fcr") and not kpi.variant_of]


def of_facts(kpi: Kpi, by: Dimensions) -> bool:
    """Is the KPI in the views by these dimensions?"""
    if by == BY_ALL:
        return kpi.table == "surveys"
    if "agent" in by:
        return of_agents(kpi) and (kpi.table not in ("agents", "states") or by == BY_AGENT)
    return kpi.table in ("windows", "fcr", "surveys")


def kpi_columns(kpis: Sequence[Kpi], rules: Rules, every: str, by: Dimensions) -> Iterator[Column]:
    """Columns of a view."""
    for kpi in kpis:
        if kpi.table == "facts":
            yield from figure_columns(kpi, every)
        else:
            condition = applies(kpi, rules) if "channel" in by else ""
            yield from quotient_columns(kpi, f"t_{prefix(kpi)}{{0}}{apart(kpi, by)}", condition)
        if kpi.table == "fcr":
            yield final_column(kpi)


def view_of(
    name: str, comment: str, every: str, by: Dimensions, sources: list[ViewSource], columns: list[Column]
) -> PeriodView:
    """The parts of a view; whether its rows are final is said where its sources know."""
    named = dict.fromkeys(total for source in sources for total in source.values)
    special = figure_totals()
    totals = [special.get(t, Total(t)) for t in named if t != PEAK.name or every in DAYS_ON]
    final = final_columns() if STILL in named else []
    return PeriodView(name, comment, every, by, sources, totals, [*final, *columns])


def queue_view(
    name: str, every: str, rules: Rules, zone: ZoneInfo, by_queue: Mapping[str, str], kind: str
) -> str:
    """A view by channel and queue; queues with a zone of their own have its periods."""
    kpis = chosen(rules, every, kind)
    what = {WIDE: "All KPIs with their variants", FIGURES: "Longest and percentiles", CALLBACKS: "Call-backs"}
    comment = f"{what.get(kind, 'KPIs')} by {PERIOD[every]} ({zone.key}), channel and queue."
    columns = [*kpi_columns(kpis, rules, every, BY_QUEUE)]
    view = view_of(name, comment, every, BY_QUEUE, kpi_sources(kpis, rules), columns)
    others = {queue: key for queue, key in by_queue.items() if key != zone.key}
    if not others:
        return period_view(view, grid(every, zone))
    parts = [(only_queues(view, [*others], False), grid(every, zone))]
    for key in dict.fromkeys(others.values()):
        own = [queue for queue, other in others.items() if other == key]
        parts.append((only_queues(view, own), grid(every, ZoneInfo(key))))
    return zoned_view(view, parts)


def fact_view(name: str, every: str, rules: Rules, zone: ZoneInfo, by: Dimensions, wide: bool = False) -> str:
    """A view by agent, by reason, by queue and agent, by dimensions of one's own, or of surveys."""
    known = every_kpi(rules).values()
    kpis = [kpi for kpi in known if (wide or not kpi.variant_of) and of_facts(kpi, by)]
    listed = f"{', '.join(by[:-1])} and {by[-1]}"
    what = "All KPIs with their variants" if wide else "KPIs of surveys" if by == BY_ALL else "KPIs"
    comment = f"{what} by {PERIOD[every]} ({zone.key}), {listed}."
    columns = [*kpi_columns(kpis, rules, every, by)]
    view = view_of(name, comment, every, by, fact_sources(kpis, rules, by), columns)
    return period_view(view, grid(every, zone))


def core_view(kpi: Kpi) -> str:
    """The view of days that a core KPI is best asked in."""
    special = {
        "agents": "agent_day", "states": "agent_day", "live": "kpi_now", "backlog": "backlog_now",
        "surveys": "survey_day",
    }  # fmt: skip
    kind = next((kind for kind, table in SINGLE_IN.items() if table == kpi.table), "")
    return special.get(kpi.table) or f"kpi_day{kind}"
