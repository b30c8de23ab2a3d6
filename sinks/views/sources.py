"""What the views by period are summed from: relations, when their rows count, and the values of each row."""

from collections.abc import Sequence
from typing import Literal

from kpis.catalogue.figure import PeakHour
from kpis.catalogue.kpi import Kpi
from kpis.rules import Rules
from schemas.time_units import DAY_MS, MINUTE_MS
from sinks.rule_parameters import rule_parameters
from sinks.views.columns import prefix
from sinks.views.figures import ENTERED_DURATIONS, HANDLED_DURATIONS, leg_totals
from sinks.views.finality import CONTACTS, STILL, still_waiting
from sql import bookings
from sql import kpi_queries as text
from sql.templates import compose
from sql.views.period import NOW_MS, ViewSource, with_values

MINUTE_S = "intDiv(minute_ms, 1000)"
WINDOW_MS = "toUnixTimestamp64Milli(window_start)"
START_S = f"intDiv({WINDOW_MS}, 1000)"
BOOKED_S = "intDiv(toUnixTimestamp64Milli(booked_at), 1000)"
SURVEYS_AT: dict[str, Literal["booked_at", "responded_at"]] = {"s_": "booked_at", "r_": "responded_at"}


def measures(kpis: Sequence[Kpi], *tables: str) -> dict[str, str]:
    """Totals that KPIs of some tables need, and the measure behind each."""
    return {
        f"{prefix(kpi)}{measure}": measure
        for kpi in kpis
        if kpi.table in tables
        for measure in (*kpi.num, *kpi.den, *([kpi.n] if kpi.n else []))
    }


def matured(minute_ms: str) -> str:
    """Have the days passed after which no contact can change what was judged in a minute?"""
    return f"{minute_ms} + {MINUTE_MS} + toInt64(days) * {DAY_MS} <= {NOW_MS}"


def fcr_value(kpi: Kpi, measure: str, minute_ms: str, mature: str) -> str:
    """What a row of fcr_windows adds to a total: rows of the KPI's length, as mature as it wants them."""
    condition = {"final": f" AND {mature}", "pending": f" AND NOT ({mature})"}.get(kpi.maturity, "")
    return f"if(days = {days_at(kpi, minute_ms)}{condition}, {measure}, 0)"


def days_at(kpi: Kpi, minute_ms: str) -> str:
    """The KPI's length in a minute; the last date that it is behind decides."""
    dates = "".join(f"{minute_ms} >= {since}, {days}, " for since, days in reversed(kpi.dated_days))
    return f"multiIf({dates}{kpi.days})" if dates else str(kpi.days)


def kpi_sources(kpis: Sequence[Kpi], rules: Rules) -> list[ViewSource]:
    """What the views by channel and queue are made of: only what these KPIs need is read."""
    sources = []
    if any(kpi.table == "windows" or isinstance(kpi.figure, PeakHour) for kpi in kpis):
        windows = measures(kpis, "windows")
        windows |= {STILL: still_waiting(START_S, "waiting", rules), CONTACTS: "contact_waiting"}
        if any(isinstance(kpi.figure, PeakHour) for kpi in kpis):
            windows |= {"x_quarter": f"intDiv({START_S}, 900) * 900", "m_contacts": "contacts"}
        sources.append(ViewSource(text.STREAM_WINDOWS, START_S, windows, ordered=True))
    fcr = {
        f"{prefix(kpi)}{measure}": fcr_value(kpi, measure, WINDOW_MS, "is_mature")
        for kpi in kpis if kpi.table == "fcr" for measure in (*kpi.num, *kpi.den)
    }  # fmt: skip
    if fcr:
        names = {"is_mature": matured(WINDOW_MS)}
        sources.append(ViewSource(text.STREAM_FCR_WINDOWS, START_S, fcr, ordered=True, names=names))
    return [*sources, *survey_sources(kpis), *leg_sources(kpis, rules)]


def survey_sources(kpis: Sequence[Kpi]) -> list[ViewSource]:
    """Answers, at the end of the contact and by when they were given."""
    values = measures(kpis, "surveys")
    sources = []
    for start, at in SURVEYS_AT.items():
        own = {name: f"m_{measure}" for name, measure in values.items() if name.startswith(start)}
        if own:
            sources.append(ViewSource(bookings.survey_bookings(text.STREAM_SURVEYS, at), MINUTE_S, own))
    return sources


def leg_sources(kpis: Sequence[Kpi], rules: Rules) -> list[ViewSource]:
    """Single legs, for what is no sum of windows."""
    legs, contacts = compose("views", "callback_legs"), compose("views", "callback_contacts")
    callbacks = with_values(text.callback_source(legs, contacts), rule_parameters(rules))
    called = {name: f"m_{measure}" for name, measure in measures(kpis, "callbacks").items()}
    sources = [
        ViewSource(
            compose("views", "entered_legs"), BOOKED_S, leg_totals(kpis, ENTERED_DURATIONS), ordered=True
        ),
        ViewSource(
            compose("views", "handled_legs"), BOOKED_S, leg_totals(kpis, HANDLED_DURATIONS), ordered=True
        ),
        ViewSource(callbacks, MINUTE_S, called),
    ]
    return [source for source in sources if source.values]
