"""KPIs that are quotients of sums: sums by SQL, one division here, by the definitions of kpis.catalogue."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from clickhouse_connect.driver.client import Client

from kpis.agents.quarters import AGENT_MEASURES
from kpis.agents.states import STATE_MEASURES
from kpis.catalogue.kpi import Kpi, applicable, quotient, shown, total
from kpis.rules import Rules
from kpis.tallies.callbacks import CALLBACK_MEASURES
from kpis.tallies.fcr import FCR_MEASURES
from kpis.tallies.live import LIVE_MEASURES
from kpis.tallies.offers import OFFER_MEASURES
from kpis.tallies.surveys import SURVEY_MEASURES
from kpis.tallies.windows import CONTACT_MEASURES, LEG_MEASURES, MEASURES
from reports.kpi.question import Question, from_windows, own_dimensions
from reports.kpi.relations import Relations
from reports.queries import rows
from sql import kpi_queries as text
from sql.bookings import fcr_bookings, quarters_now, survey_bookings
from sql.periods import Periods

Key = tuple[Any, ...]  # begin and end of the period, then the dimensions
Value = dict[str, Any]
KpiValues = dict[Key, dict[str, Value]]
Sums = Mapping[str, int]
# Not a measure, as it depends on the moment: `waiting` without legs whose end was lost.
STILL_WAITING = "still_waiting"


@dataclass(frozen=True, slots=True)
class Reading:
    """All that it takes to read: where, how, what was asked, and the rules."""

    client: Client
    relations: Relations
    question: Question
    when: Periods
    parameters: dict[str, object]
    rules: Rules

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows that a query gives, by name of the column."""
        return rows(self.client, sql, self.parameters)

    def key(self, row: dict[str, Any]) -> Key:
        """Period and dimensions of a row. The driver says UTC for some servers and nothing for others."""
        period = (row[name].replace(tzinfo=UTC) for name in ("window_start", "window_end"))
        return (*period, *self.dimensions(row))

    def dimensions(self, row: dict[str, Any]) -> tuple[str, ...]:
        """What the row is of, by the dimensions asked for."""
        return tuple(row[text.column_of(name)] for name in self.question.by)


def value_of(kpi: Kpi, sums: Sums, final: bool = True) -> Value:
    """A KPI from sums of its measures: a count is its numerator, all others are divided once."""
    num, den = shown(kpi, total(kpi.num, sums), total(kpi.den, sums))
    n = sums.get(kpi.n, 0) if kpi.n else (den if kpi.den else num)
    value = quotient(num, den) if kpi.den else num
    return {"value": value, "unit": kpi.unit, "n": n, "num": num, "den": den, "final": final}


def nothing(kpi: Kpi) -> Value:
    """A KPI of which nothing was counted."""
    if kpi.figure is not None:
        return {"value": None, "unit": kpi.unit, "n": 0, "num": 0, "den": 0, "final": True}
    return value_of(kpi, {})


def window_values(reading: Reading, kpis: Sequence[Kpi]) -> KpiValues:
    """KPIs of windows; where these lack a dimension, the same of legs and contacts."""
    relations, by = reading.relations, reading.question.by
    windows = text.still_waiting(text.window_source(relations.windows, MEASURES))
    parts = [(windows, (*MEASURES, STILL_WAITING))]
    if not from_windows(reading.question):
        contacts = text.contact_source(relations.contacts_with_ivr)
        legs = text.still_waiting(text.leg_source(relations.legs))
        parts = [(legs, (*LEG_MEASURES, STILL_WAITING)), (contacts, CONTACT_MEASURES)]
        parts.append((text.offer_source(relations.offers), OFFER_MEASURES))
    # Channels apart, as not every KPI takes all.
    split = tuple(dict.fromkeys((*by, "channel")))
    channels: dict[Key, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for relation, measures in parts:
        for row in reading.rows(text.sums(relation, measures, reading.when, split)):
            channels[reading.key(row)][row["channel"]] |= {name: int(row[name]) for name in measures}
    return {
        key: {kpi.id: window_value(kpi, found, reading.rules) for kpi in kpis}
        for key, found in channels.items()
    }


def window_value(kpi: Kpi, channels: Mapping[str, Sums], rules: Rules) -> Value:
    """A KPI over the channels it means something on."""
    meant = [sums for channel, sums in channels.items() if applicable(kpi, channel, rules.async_channels)]
    waiting = {"entered": STILL_WAITING, "first entered": "contact_waiting"}.get(kpi.booked, "")
    names = {*kpi.num, *kpi.den, kpi.n, waiting}  # of some hundred measures a KPI needs two or three
    own = {name: sum(sums.get(name, 0) for sums in meant) for name in names}
    return value_of(kpi, own, final=not own[waiting])


def fcr_values(reading: Reading, kpis: Sequence[Kpi]) -> KpiValues:
    """KPIs of repeat contacts, by length of the window and by whether it has passed."""
    relations, by = reading.relations, reading.question.by
    if from_windows(reading.question):
        keys = (*text.WINDOW_DIMENSIONS, "days")
        relation = text.window_source(relations.fcr_windows, FCR_MEASURES, keys)
    else:
        contacts = relations.contacts if own_dimensions(reading.question) else ""
        relation = fcr_bookings(relations.fcr, reading.rules.fcr.windows_days, contacts)
    query = text.sums(text.matured(relation), FCR_MEASURES, reading.when, by, ("days", "mature", "era"))
    judged: dict[Key, dict[Judged, Sums]] = defaultdict(dict)
    for row in reading.rows(query):
        sums = {name: int(row[name]) for name in FCR_MEASURES}
        judged[reading.key(row)][row["days"], bool(row["mature"]), row["era"]] = sums
    return {key: {kpi.id: fcr_value(kpi, found) for kpi in kpis} for key, found in judged.items()}


# Length of the window in days, whether it has passed, and after how many dates of rules it was booked.
Judged = tuple[int, bool, int]


def fcr_value(kpi: Kpi, judged: Mapping[Judged, Sums]) -> Value:
    """Of the windows whose maturity the KPI is about. What looks back is final at once, what looks ahead is
    provisional while it counts contacts whose window has not passed."""
    mature, open_ = (of_lengths(kpi, judged, passed) for passed in (True, False))
    parts = {"final": (mature,), "pending": (open_,), "all": (mature, open_)}[kpi.maturity]
    sums = {name: sum(part.get(name, 0) for part in parts) for name in FCR_MEASURES}
    may_change = kpi.booked == "ended" and kpi.maturity != "final"
    return value_of(kpi, sums, final=not (may_change and open_.get("anchors")))


def of_lengths(kpi: Kpi, judged: Mapping[Judged, Sums], passed: bool) -> Sums:
    """The sums of each time by the length that the KPI has in it, of windows that have passed or have not."""
    if not kpi.dated_days:  # the same at any time
        own = [sums for (days, mature, _), sums in judged.items() if (days, mature) == (kpi.days, passed)]
    else:
        lengths = [kpi.days, *(days for _, days in kpi.dated_days)]
        own = [judged.get((days, passed, era), {}) for era, days in enumerate(lengths)]
    return {name: sum(sums.get(name, 0) for sums in own) for name in FCR_MEASURES}


def survey_values(reading: Reading, kpis: Sequence[Kpi]) -> KpiValues:
    """KPIs of surveys, at the end of the contact or at the answer."""
    found: KpiValues = defaultdict(dict)
    for at in ("booked_at", "responded_at"):
        wanted = [kpi for kpi in kpis if (kpi.booked == "responded") == (at == "responded_at")]
        if wanted:
            relation = survey_bookings(reading.relations.surveys, at)
            query = text.sums(relation, SURVEY_MEASURES, reading.when, reading.question.by)
            for row in reading.rows(query):
                found[reading.key(row)] |= {kpi.id: value_of(kpi, row) for kpi in wanted}
    return found


def agent_values(reading: Reading, kpis: Sequence[Kpi]) -> KpiValues:
    """KPIs of agents' quarter-hours, by when these begin; provisional with what is open at the moment."""
    measures = (*AGENT_MEASURES, "open_pieces")
    quarters = quarters_now(reading.relations.agent_quarters, reading.relations.legs)
    relation = text.window_source(quarters, measures, text.AGENT_DIMENSIONS)
    return {
        reading.key(row): {kpi.id: value_of(kpi, row, final=not row["open_pieces"]) for kpi in kpis}
        for row in reading.rows(text.sums(relation, measures, reading.when, reading.question.by))
    }


def agent_state_values(reading: Reading, kpis: Sequence[Kpi]) -> KpiValues:
    """KPIs of agents' states; provisional where the present one counts up to the moment."""
    query = text.sums(text.state_source(), STATE_MEASURES, reading.when, reading.question.by)
    return {
        reading.key(row): {kpi.id: value_of(kpi, row, final=not row["open_states"]) for kpi in kpis}
        for row in reading.rows(query)
    }


def callback_values(reading: Reading, kpis: Sequence[Kpi]) -> KpiValues:
    """KPIs of requests for a call back, by when the leg that asked entered its queue."""
    relation = text.callback_source(reading.relations.legs, reading.relations.contacts)
    query = text.sums(relation, CALLBACK_MEASURES, reading.when, reading.question.by)
    return {reading.key(row): {kpi.id: value_of(kpi, row) for kpi in kpis} for row in reading.rows(query)}


def live_values(reading: Reading, kpis: Sequence[Kpi]) -> KpiValues:
    """The service level of periods as it stands at a moment: final once nobody waits any more."""
    wanted = [kpi for kpi in kpis if not kpi.is_state]
    if not wanted:
        return {}
    query = text.live_sums(LIVE_MEASURES, reading.when, reading.question.by, reading.relations.legs)
    return {
        reading.key(row): {kpi.id: value_of(kpi, row, final=not row["waiting_now"]) for kpi in wanted}
        for row in reading.rows(query)
    }
