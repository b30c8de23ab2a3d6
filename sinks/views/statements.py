"""The views for BI tools, made from the registry of KPIs, the rules and the reporting time zone."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import Rules
from kpis.tallies.backlog import BACKLOG_MEASURES
from kpis.tallies.live import LIVE_MEASURES
from sinks.rule_parameters import rule_parameters
from sinks.views.columns import quotient_columns
from sinks.views.figures import figure_columns
from sinks.views.kpi_views import (
    BY_AGENT,
    BY_ALL,
    BY_OWN,
    BY_QUEUE_AND_AGENT,
    BY_REASON,
    CALLBACKS,
    FIGURES,
    WIDE,
    fact_view,
    queue_view,
)
from sinks.views.made import to_make
from sql.migrate import migrations
from sql.views.others import (
    LIVE_MINUTES,
    alert,
    backlog_now,
    corrections,
    fact_views,
    frequent_customer,
    kpi_now,
    repeat_contact,
    source_health,
    window_as_published,
)
from sql.views.period import DAYS_ON, Column

PERIODS = {
    "minute": "1m",
    "quarter_hour": "15m",
    "half_hour": "30m",
    "hour": "1h",
    "day": "1d",
    "week": "1w",
    "month": "1M",
}
REPORTED = ("half_hour", "hour", "day", "week", "month")
KPI_VIEWS = {f"kpi_{name}": every for name, every in PERIODS.items()}
AGENT_VIEWS = {f"agent_{name}": every for name, every in PERIODS.items() if every != "1m"}
REASON_VIEWS = {f"reason_{name}": PERIODS[name] for name in REPORTED}
QUEUE_AGENT_VIEWS = {f"queue_agent_{name}": PERIODS[name] for name in REPORTED}
OWN_VIEWS = {f"dimension_{name}": PERIODS[name] for name in ("quarter_hour", *REPORTED)}
SURVEY_VIEWS = {f"survey_{name}": PERIODS[name] for name in REPORTED}
FACT_VIEWS = (
    (AGENT_VIEWS, BY_AGENT),
    (REASON_VIEWS, BY_REASON),
    (QUEUE_AGENT_VIEWS, BY_QUEUE_AND_AGENT),
    (OWN_VIEWS, BY_OWN),
    (SURVEY_VIEWS, BY_ALL),
)
NONE: Mapping[str, str] = {}
# Measured: 160 kB where clocks shift, for each zone; 256 kB is the limit of a server unless told otherwise.
# A view of several zones is far above what ClickHouse takes of a query by itself, in bytes and in parts.
STATEMENT_LIMITS = {"max_query_size": 16 * 1_048_576, "max_ast_elements": 1_000_000}


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


def backlog_view(rules: Rules) -> str:
    """The view of what is open at the present moment."""
    kpis = [kpi for kpi in every_kpi(rules).values() if kpi.table == "backlog"]
    columns = [column for kpi in kpis for column in quotient_columns(kpi, "t_{0}", "")]
    return backlog_now(rule_parameters(rules), columns, BACKLOG_MEASURES)


def kinds(every: str) -> tuple[str, ...]:
    """Which views by channel and queue a period has. The wide ones take a tenth of a second to make."""
    single = ("", FIGURES, CALLBACKS)
    return {"1m": ("", WIDE), "30m": single}.get(every, (*single, WIDE))


def period_views(rules: Rules, zone: ZoneInfo, by_queue: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every view by period: its name and statement."""
    for name, every in KPI_VIEWS.items():
        for kind in kinds(every):
            yield name + kind, queue_view(name + kind, every, rules, zone, by_queue, kind)
    for views, by in FACT_VIEWS:
        for name, every in views.items():
            yield name, fact_view(name, every, rules, zone, by)
            if by == BY_AGENT and every in DAYS_ON:
                yield name + WIDE, fact_view(name + WIDE, every, rules, zone, by, wide=True)


def statements(rules: Rules, zone: str, by_queue: Mapping[str, str] = NONE) -> dict[str, str]:
    """Every view by name, as the statement that makes or replaces it."""
    return {
        **dict(period_views(rules, ZoneInfo(zone), by_queue)),
        "kpi_now": now_view(rules),
        "backlog_now": backlog_view(rules),
        **fact_views(),
        "repeat_contact": repeat_contact(rules.fcr.windows_days),
        "frequent_customer": frequent_customer(),
        "source_health": source_health(),
        "window_as_published": window_as_published(),
        "corrections": corrections(),
        "alert": alert(),
    }


def apply_views(client: Client, rules: Rules, zone: str, by_queue: Mapping[str, str] = NONE) -> list[str]:
    """Make or replace all views; returns their names. For new rules or another zone do it again.

    What stands as it would be made is left as it is.
    """
    wanted = statements(rules, zone, by_queue)
    for statement in to_make(client, wanted, (migration.name for migration in migrations())).values():
        client.command(statement, settings=STATEMENT_LIMITS)
    return [*wanted]
