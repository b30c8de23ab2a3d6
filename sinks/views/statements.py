"""The views for BI tools, made from the registry of KPIs, the rules and the reporting time zone."""

# ruff: noqa: S608 -- names and expressions are ours

from collections.abc import Iterator, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from kpis.rules import Rules
from kpis.tallies.live import LIVE_MEASURES
from kpis.tallies.windows import ACTIVITY, ENTERED, HANDLED
from sinks.rule_parameters import rule_parameters
from sinks.views.columns import applies, final_column, prefix, quotient_columns
from sinks.views.figures import (
    ENTERED_DURATIONS,
    HANDLED_DURATIONS,
    PEAK,
    figure_columns,
    figure_totals,
    leg_totals,
)
from sql import bookings
from sql import kpi_queries as text
from sql.oracle_queries import leg_bookings
from sql.templates import compose
from sql.views.grid import grid
from sql.views.others import (
    LIVE_MINUTES,
    fact_views,
    frequent_customer,
    kpi_now,
    repeat_contact,
    source_health,
)
from sql.views.period import (
    DAYS_ON,
    NOW_MS,
    Column,
    PeriodView,
    Total,
    ViewSource,
    period_view,
    with_values,
)

KPI_VIEWS = {
    "kpi_minute": "1m",
    "kpi_quarter_hour": "15m",
    "kpi_hour": "1h",
    "kpi_day": "1d",
    "kpi_week": "1w",
    "kpi_month": "1M",
}
AGENT_VIEWS = {name.replace("kpi_", "agent_"): every for name, every in KPI_VIEWS.items() if every != "1m"}
PERIOD = {"1m": "minute", "15m": "quarter-hour", "1h": "hour", "1d": "day", "1w": "week", "1M": "month"}
LEG_MEASURES = (*ENTERED, *HANDLED, *ACTIVITY)
# Of legs that no agent had.
LOST = {"abandoned", "short_abandoned", "flow_out", "abandon_wait_ms", "abandonments"}
# Measured: 160 kB where clocks shift; 256 kB is the limit of a server unless told otherwise.
MAX_STATEMENT_BYTES = 1_048_576
MINUTE_S = "intDiv(minute_ms, 1000)"
START_S = "intDiv(toUnixTimestamp64Milli(window_start), 1000)"
# Legs for what is no sum, when they entered their queue and when they were finished.
LEG_MINUTE = "intDiv(toUnixTimestamp64Milli(assumeNotNull({0})), 60000) * 60 AS at_s"
ENTERED_LEGS = f"""(SELECT channel, queue, {LEG_MINUTE.format("entered_at")}, queue_ms, answered
        FROM legs FINAL WHERE is_deleted = 0 AND offered AND isNotNull(queue_ms))"""
HANDLED_LEGS = f"""(SELECT channel, queue, {LEG_MINUTE.format("handled_at")}, handle_ms, hold_n, hold_max_ms
        FROM legs FINAL WHERE is_deleted = 0 AND handled AND isNotNull(handled_at))"""
# Only what has to do with callbacks, found without FINAL (what it was once, it is at most) and then by key.
CALLING = "SELECT contact_id FROM contacts WHERE isNotNull(callback_of)"
CALLED = "SELECT contact_id FROM legs WHERE end_detail = 'callback'"
CALLBACK_LEGS = f"""(SELECT * FROM legs FINAL
        WHERE is_deleted = 0 AND contact_id IN ({CALLING} UNION ALL {CALLED}))"""
CALLBACK_CONTACTS = f"""(SELECT * FROM contacts FINAL
        WHERE is_deleted = 0 AND isNotNull(callback_of) AND contact_id IN ({CALLING}))"""
AGENT_LEGS = "(SELECT * FROM legs FINAL WHERE is_deleted = 0 AND agent != '')"


def kpi_columns(kpis: Sequence[Kpi], rules: Rules, every: str) -> Iterator[Column]:
    """Columns of a view by channel and queue."""
    for kpi in kpis:
        if kpi.table == "facts":
            yield from figure_columns(kpi, every)
        else:
            yield from quotient_columns(kpi, f"t_{prefix(kpi)}{{0}}", applies(kpi, rules))
        if kpi.table == "fcr":
            yield final_column(kpi)


def measures(kpis: Sequence[Kpi], *tables: str) -> dict[str, str]:
    """Totals that KPIs of some tables need, and the measure behind each."""
    return {
        f"{prefix(kpi)}{measure}": measure
        for kpi in kpis
        if kpi.table in tables
        for measure in (*kpi.num, *kpi.den, *([kpi.n] if kpi.n else []))
    }


def fcr_value(kpi: Kpi, measure: str) -> str:
    """What a row of fcr_windows adds to a total: rows of the KPI's length, as mature as it wants them."""
    mature = f"toUnixTimestamp64Milli(window_start) + 60000 + toInt64(days) * 86400000 <= {NOW_MS}"
    condition = {"final": f" AND {mature}", "pending": f" AND NOT ({mature})"}.get(kpi.maturity, "")
    return f"if(days = {kpi.days}{condition}, {measure}, 0)"


def kpi_sources(kpis: Sequence[Kpi], rules: Rules) -> list[ViewSource]:
    """What the views by channel and queue are made of."""
    quarter = {"x_quarter": f"intDiv({START_S}, 900) * 900", "m_contacts": "contacts"}
    windows = measures(kpis, "windows") | quarter
    fcr = {
        f"{prefix(kpi)}{measure}": fcr_value(kpi, measure)
        for kpi in kpis if kpi.table == "fcr" for measure in (*kpi.num, *kpi.den)
    }  # fmt: skip
    surveys = measures(kpis, "surveys")

    def answers(start: str, at: str) -> ViewSource:
        values = {name: f"m_{measure}" for name, measure in surveys.items() if name.startswith(start)}
        return ViewSource(bookings.survey_bookings(text.STREAM_SURVEYS, at), MINUTE_S, values)  # type: ignore[arg-type]

    sources = [
        ViewSource(text.STREAM_WINDOWS, START_S, windows, ordered=True),
        ViewSource(text.STREAM_FCR_WINDOWS, START_S, fcr, ordered=True),
        answers("s_", "booked_at"),
        answers("r_", "responded_at"),
    ]
    return sources + (leg_sources(kpis, rules) if any(kpi.table == "facts" for kpi in kpis) else [])


def leg_sources(kpis: Sequence[Kpi], rules: Rules) -> list[ViewSource]:
    """Single legs, for what is no sum of windows."""
    answered = compose("oracle", "callbacks", legs=CALLBACK_LEGS, contacts=CALLBACK_CONTACTS)
    callbacks = with_values(answered, rule_parameters(rules))
    called = {"x_callback_ms": "wait", "x_callback_n": "1"}
    return [
        ViewSource(ENTERED_LEGS, "at_s", leg_totals(kpis, ENTERED_DURATIONS)),
        ViewSource(HANDLED_LEGS, "at_s", leg_totals(kpis, HANDLED_DURATIONS)),
        ViewSource(callbacks, MINUTE_S, called),
    ]


def kpi_view(name: str, every: str, rules: Rules, zone: ZoneInfo) -> str:
    """A view by channel and queue."""
    # To read all legs takes longer than all else: minutes, which are asked for often, do without.
    elsewhere = ("agents", "live", "facts") if every == "1m" else ("agents", "live")
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
    return period_view(view, grid(every, zone))


def of_agents(kpi: Kpi) -> bool:
    """Has it an answer by agent: a KPI of legs that had one, or of agents' quarter-hours?"""
    of_legs = kpi.table == "windows" and {*kpi.num, *kpi.den} <= {*LEG_MEASURES}
    return kpi.table == "agents" or (of_legs and not {*kpi.num} <= LOST)


def agent_sources(kpis: Sequence[Kpi], rules: Rules) -> list[ViewSource]:
    """What the views by agent and team are made of.

    An agent works on several channels, so the sums of a KPI that is not for all of them are kept apart.
    """
    values: dict[str, str] = {}
    for kpi in kpis:
        condition = applies(kpi, rules)
        for measure in (*kpi.num, *kpi.den) if kpi.table == "windows" else ():
            value = f"if({condition}, m_{measure}, 0)" if condition else f"m_{measure}"
            values[f"m_{measure}{apart(kpi)}"] = value
    booked = with_values(leg_bookings(AGENT_LEGS), rule_parameters(rules))
    # Under other names first: those of the totals are also names of columns here.
    renamed = ", ".join(f"{value} AS w_{name}" for name, value in values.items())
    legs = f"(SELECT minute_ms, agent, team, {renamed} FROM {booked})"
    return [
        ViewSource(text.STREAM_AGENT_QUARTERS, START_S, measures(kpis, "agents")),
        ViewSource(legs, MINUTE_S, {name: f"w_{name}" for name in values}),
    ]


def apart(kpi: Kpi) -> str:
    """Ending of the sums of a KPI that is not for all channels."""
    return "" if kpi.applies == "all" else f"_{kpi.applies}"


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


def statements(rules: Rules, zone: str) -> dict[str, str]:
    """Every view by name, as the statement that makes or replaces it."""
    place = ZoneInfo(zone)
    return {
        **{name: kpi_view(name, every, rules, place) for name, every in KPI_VIEWS.items()},
        **{name: agent_view(name, every, rules, place) for name, every in AGENT_VIEWS.items()},
        "kpi_now": now_view(rules),
        **fact_views(),
        "repeat_contact": repeat_contact(rules.fcr.windows_days),
        "frequent_customer": frequent_customer(),
        "source_health": source_health(),
    }


def apply_views(client: Client, rules: Rules, zone: str) -> list[str]:
    """Make or replace all views; returns their names. For new rules or another zone do it again."""
    made = statements(rules, zone)
    for statement in made.values():
        client.command(statement, settings={"max_query_size": MAX_STATEMENT_BYTES})
    return [*made]
