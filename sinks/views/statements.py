"""The views for BI tools, made from the registry of KPIs, the rules and the reporting time zone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from kpis.rules import Rules
from kpis.tallies.live import LIVE_MEASURES
from kpis.tallies.windows import LEG_MEASURES
from sinks.rule_parameters import rule_parameters
from sinks.views.columns import applies, final_column, prefix, quotient_columns
from sinks.views.figures import PEAK, figure_columns, figure_totals
from sinks.views.sources import agent_sources, apart, kpi_sources
from sql.views.grid import grid
from sql.views.others import (
    LIVE_MINUTES,
    corrections,
    fact_views,
    frequent_customer,
    kpi_now,
    repeat_contact,
    source_health,
    window_as_published,
)
from sql.views.period import DAYS_ON, Column, PeriodView, Total, only_queues, period_view, zoned_view

KPI_VIEWS = {
    "kpi_minute": "1m",
    "kpi_quarter_hour": "15m",
    "kpi_half_hour": "30m",
    "kpi_hour": "1h",
    "kpi_day": "1d",
    "kpi_week": "1w",
    "kpi_month": "1M",
}
AGENT_VIEWS = {name.replace("kpi_", "agent_"): every for name, every in KPI_VIEWS.items() if every != "1m"}
PERIOD = {
    "1m": "minute",
    "15m": "quarter-hour",
    "30m": "half-hour",
    "1h": "hour",
    "1d": "day",
    "1w": "week",
    "1M": "month",
}
# Of legs that no agent had.
LOST = {"abandoned", "short_abandoned", "flow_out", "abandon_wait_ms", "abandonments"}
NONE: Mapping[str, str] = {}
# Measured: 160 kB where clocks shift, for each zone; 256 kB is the limit of a server unless told otherwise.
MAX_STATEMENT_BYTES = 16 * 1_048_576


def kpi_columns(kpis: Sequence[Kpi], rules: Rules, every: str) -> Iterator[Column]:
    """Columns of a view by channel and queue."""
    for kpi in kpis:
        if kpi.table == "facts":
            yield from figure_columns(kpi, every)
        else:
            yield from quotient_columns(kpi, f"t_{prefix(kpi)}{{0}}", applies(kpi, rules))
        if kpi.table == "fcr":
            yield final_column(kpi)


def kpi_view(name: str, every: str, rules: Rules, zone: ZoneInfo, by_queue: Mapping[str, str]) -> str:
    """A view by channel and queue; queues with a zone of their own have its periods."""
    # To read all legs takes longer than all else: minutes, which are asked for often, do without.
    elsewhere = ("agents", "live", "facts", "callbacks") if every == "1m" else ("agents", "live")
    kpis = [kpi for kpi in every_kpi(rules).values() if kpi.table not in elsewhere]
    sources = kpi_sources(kpis, rules)
    named = dict.fromkeys(name for source in sources for name in source.values)
    special = figure_totals()
    view = PeriodView(
        name,
        f"KPIs by {PERIOD[every]} ({zone.key}), channel and queue.",
        every,
        ("channel", "queue"),
        sources,
        [special.get(name, Total(name)) for name in named if name != PEAK.name or every in DAYS_ON],
        [*kpi_columns(kpis, rules, every)],
    )
    others = {queue: key for queue, key in by_queue.items() if key != zone.key}
    if not others:
        return period_view(view, grid(every, zone))
    parts = [(only_queues(view, [*others], False), grid(every, zone))]
    for key in dict.fromkeys(others.values()):
        own = [queue for queue, other in others.items() if other == key]
        parts.append((only_queues(view, own), grid(every, ZoneInfo(key))))
    return zoned_view(view, parts)


def of_agents(kpi: Kpi) -> bool:
    """Has it an answer by agent: a KPI of legs that had one, or of agents' quarter-hours?"""
    of_legs = kpi.table == "windows" and {*kpi.num, *kpi.den} <= {*LEG_MEASURES}
    return kpi.table == "agents" or (of_legs and not {*kpi.num} <= LOST)


def agent_view(name: str, every: str, rules: Rules, zone: ZoneInfo) -> str:
    """A view by agent and team."""
    kpis = [kpi for kpi in every_kpi(rules).values() if of_agents(kpi)]
    sources = agent_sources(kpis, rules)
    view = PeriodView(
        name,
        f"KPIs by {PERIOD[every]} ({zone.key}), agent and team.",
        every,
        ("agent", "team"),
        sources,
        [Total(total) for source in sources for total in source.values],
        [column for kpi in kpis for column in quotient_columns(kpi, f"t_{prefix(kpi)}{{0}}{apart(kpi)}", "")],
    )
    return period_view(view, grid(every, zone))


def now_view(rules: Rules) -> str:
    """The view of the present moment."""
    columns: list[Column] = []
    recent = f" Of legs that entered in the last {LIVE_MINUTES} minutes."
    for kpi in every_kpi(rules).values():
        if kpi.table != "live":
            continue
        own = figure_columns(kpi, "") if kpi.figure else quotient_columns(kpi, "t_{0}", "")
        columns += own if kpi.is_state else [replace(c, comment=c.comment + recent) for c in own]
    return kpi_now(rule_parameters(rules), columns, LIVE_MEASURES)


def statements(rules: Rules, zone: str, by_queue: Mapping[str, str] = NONE) -> dict[str, str]:
    """Every view by name, as the statement that makes or replaces it."""
    place = ZoneInfo(zone)
    return {
        **{name: kpi_view(name, every, rules, place, by_queue) for name, every in KPI_VIEWS.items()},
        **{name: agent_view(name, every, rules, place) for name, every in AGENT_VIEWS.items()},
        "kpi_now": now_view(rules),
        **fact_views(),
        "repeat_contact": repeat_contact(rules.fcr.windows_days),
        "frequent_customer": frequent_customer(),
        "source_health": source_health(),
        "window_as_published": window_as_published(),
        "corrections": corrections(),
    }


def apply_views(client: Client, rules: Rules, zone: str, by_queue: Mapping[str, str] = NONE) -> list[str]:
    """Make or replace all views; returns their names. For new rules or another zone do it again."""
    made = statements(rules, zone, by_queue)
    for statement in made.values():
        client.command(statement, settings={"max_query_size": MAX_STATEMENT_BYTES})
    return [*made]
