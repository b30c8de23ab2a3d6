"""What the views by period are summed from: relations, when their rows count, and the values of each row."""

# ruff: noqa: S608 -- names and expressions are ours

from collections.abc import Mapping, Sequence

from kpis.catalogue.kpi import Kpi
from kpis.rules import Rules
from kpis.tallies.offers import OFFER_MEASURES
from sinks.rule_parameters import rule_parameters
from sinks.views.columns import applies, prefix
from sinks.views.figures import ENTERED_DURATIONS, HANDLED_DURATIONS, leg_totals
from sql import bookings
from sql import kpi_queries as text
from sql.oracle_queries import leg_bookings
from sql.templates import compose
from sql.views.period import NOW_MS, ViewSource, with_values

MINUTE_S = "intDiv(minute_ms, 1000)"
START_S = "intDiv(toUnixTimestamp64Milli(window_start), 1000)"
AGENT_LEGS = "(SELECT * FROM legs FINAL WHERE is_deleted = 0 AND agent != '')"


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
    legs, contacts = compose("views", "callback_legs"), compose("views", "callback_contacts")
    callbacks = with_values(text.callback_source(legs, contacts), rule_parameters(rules))
    called = {name: f"m_{measure}" for name, measure in measures(kpis, "callbacks").items()}
    return [
        ViewSource(compose("views", "entered_legs"), "at_s", leg_totals(kpis, ENTERED_DURATIONS)),
        ViewSource(compose("views", "handled_legs"), "at_s", leg_totals(kpis, HANDLED_DURATIONS)),
        ViewSource(callbacks, MINUTE_S, called),
    ]


def agent_sources(kpis: Sequence[Kpi], rules: Rules) -> list[ViewSource]:
    """What the views by agent and team are made of.

    An agent works on several channels, so the sums of a KPI that is not for all of them are kept apart.
    """
    values: dict[str, str] = {}
    offered: dict[str, str] = {}
    for kpi in kpis:
        condition = applies(kpi, rules)
        for measure in (*kpi.num, *kpi.den) if kpi.table == "windows" else ():
            value = f"if({condition}, m_{measure}, 0)" if condition else f"m_{measure}"
            (offered if measure in OFFER_MEASURES else values)[f"m_{measure}{apart(kpi)}"] = value
    booked = with_values(leg_bookings(AGENT_LEGS), rule_parameters(rules))
    return [
        ViewSource(text.STREAM_AGENT_QUARTERS, START_S, measures(kpis, "agents")),
        logged_in(kpis, rules),
        worked(booked, values),
        worked(text.offer_source(), offered),
    ]


def logged_in(kpis: Sequence[Kpi], rules: Rules) -> ViewSource:
    """What agents said they were, the last state up to now."""
    until_now = bookings.states().replace("{as_of_ms:Int64}", NOW_MS)
    values = {name: f"m_{measure}" for name, measure in measures(kpis, "states").items()}
    return ViewSource(with_values(until_now, rule_parameters(rules)), MINUTE_S, values)


def worked(booked: str, values: Mapping[str, str]) -> ViewSource:
    """A source by agent of bookings."""
    # Under other names first: those of the totals are also names of columns here.
    renamed = ", ".join(f"{value} AS w_{name}" for name, value in values.items())
    relation = f"(SELECT minute_ms, agent, team, {renamed} FROM {booked})"
    return ViewSource(relation, MINUTE_S, {name: f"w_{name}" for name in values})


def apart(kpi: Kpi) -> str:
    """Ending of the sums of a KPI that is not for all channels."""
    return "" if kpi.applies == "all" else f"_{kpi.applies}"
