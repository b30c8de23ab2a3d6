"""What views by other dimensions than channel and queue are summed from: single legs, contacts, answers."""

# ruff: noqa: S608 -- names and expressions are ours

from collections.abc import Sequence

from kpis.catalogue.kpi import Kpi
from kpis.rules import Rules
from kpis.tallies.offers import OFFER_MEASURES
from kpis.tallies.windows import CONTACT_MEASURES, LEG_MEASURES
from schemas.time_units import MINUTE_MS
from sinks.rule_parameters import rule_parameters
from sinks.views.columns import applies, prefix
from sinks.views.finality import CONTACTS, STILL, still_waiting
from sinks.views.sources import MINUTE_S, START_S, SURVEYS_AT, fcr_value, matured, measures
from sql import bookings
from sql import kpi_queries as text
from sql import oracle_queries as oracle
from sql.views.period import NOW_MS, ViewSource, with_values

Dimensions = tuple[str, ...]
Values = dict[str, str]
# Of legs that no agent had.
LOST = {"abandoned", "short_abandoned", "flow_out", "abandon_wait_ms", "abandonments"}


def of_agents(kpi: Kpi) -> bool:
    """Has it an answer by agent: a KPI of legs that had one, of agents' quarter-hours, of what customers said
    or did afterwards?
    """
    of_legs = kpi.table == "windows" and {*kpi.num, *kpi.den} <= {*LEG_MEASURES, *OFFER_MEASURES}
    return kpi.table in ("agents", "states", "fcr", "surveys") or (of_legs and not {*kpi.num} <= LOST)


def apart(kpi: Kpi, by: Dimensions) -> str:
    """Ending of the sums of a KPI that is not for all channels, where rows hold several."""
    return "" if kpi.applies == "all" or "channel" in by else f"_{kpi.applies}"


def only(by: Dimensions, facts: str) -> str:
    """Facts that have an agent, where the rows are of agents; surveys are by everything."""
    return f"(SELECT * FROM {facts} WHERE agent != '')" if "agent" in by and "reason" not in by else facts


def by_own(relation: str) -> str:
    """A row for each dimension of one's own, by its name and value; none for a row that has none."""
    named = "mapKeys(dimensions) AS own_name, mapValues(dimensions) AS own_value"
    return f"(SELECT *, own_name AS dimension, own_value AS value FROM {relation} ARRAY JOIN {named})"


def source(relation: str, by: Dimensions, values: Values) -> ViewSource:
    """The values of a relation that has minute_ms. Under other names first: some totals are columns here."""
    relation = by_own(relation) if "dimension" in by else relation
    renamed = ", ".join(f"{value} AS v_{name}" for name, value in values.items())
    relation = f"(SELECT minute_ms, {', '.join(by)}, {renamed} FROM {relation})"
    return ViewSource(relation, MINUTE_S, {name: f"v_{name}" for name in values})


def window_values(kpis: Sequence[Kpi], rules: Rules, by: Dimensions, known: Sequence[str]) -> Values:
    """Totals of the KPIs of windows that are made of these measures, as what a row adds to them."""
    values: Values = {}
    for kpi in (kpi for kpi in kpis if kpi.table == "windows"):
        condition = applies(kpi, rules) if apart(kpi, by) else ""
        for measure in (name for name in (*kpi.num, *kpi.den) if name in known):
            value = f"if({condition}, m_{measure}, 0)" if condition else f"m_{measure}"
            values[f"m_{measure}{apart(kpi, by)}"] = value
    return values


def until_now(rules: Rules) -> str:
    """What agents said they were, the last state up to now."""
    return with_values(bookings.states().replace("{as_of_ms:Int64}", NOW_MS), rule_parameters(rules))


def quarters_until_now(rules: Rules) -> str:
    """What agents did in each quarter-hour, with what they do up to the last whole minute."""
    minute = f"(intDiv({NOW_MS}, {MINUTE_MS}) * {MINUTE_MS})"
    quarters = bookings.quarters_now(text.STREAM_AGENT_QUARTERS, text.STREAM_LEGS)
    return with_values(quarters.replace("{as_of_ms:Int64}", minute), rule_parameters(rules))


def fact_sources(kpis: Sequence[Kpi], rules: Rules, by: Dimensions) -> list[ViewSource]:
    """Sources by any of channel, queue, agent, team, reason, and dimension with value."""
    parameters = rule_parameters(rules)
    of_legs, of_contacts, of_offers = (
        window_values(kpis, rules, by, known) for known in (LEG_MEASURES, CONTACT_MEASURES, OFFER_MEASURES)
    )
    if "agent" not in by and of_legs:
        of_legs[STILL] = still_waiting(MINUTE_S, "m_waiting", rules)
        of_contacts[CONTACTS] = "m_contact_waiting"
    sources = [source(with_values(oracle.leg_bookings(only(by, text.STREAM_LEGS)), parameters), by, of_legs)]
    if of_contacts:
        contacts = oracle.with_ivr_legs(text.STREAM_CONTACTS, text.STREAM_LEGS)
        relation = with_values(oracle.contact_bookings(contacts), parameters)
        sources.append(source(relation, by, of_contacts))
    sources.append(source(oracle.offer_bookings(only(by, text.STREAM_OFFERS)), by, of_offers))
    judged = {
        f"{prefix(kpi)}{measure}": fcr_value(kpi, f"m_{measure}", "minute_ms", f"({matured('minute_ms')})")
        for kpi in kpis if kpi.table == "fcr" for measure in (*kpi.num, *kpi.den)
    }  # fmt: skip
    lengths = [(kpi.days, *(days for _, days in kpi.dated_days)) for kpi in kpis if kpi.table == "fcr"]
    days = sorted({days for each in lengths for days in each})
    contacts = text.STREAM_CONTACTS if "dimension" in by else ""
    sources.append(source(bookings.fcr_bookings(only(by, text.STREAM_FCR), days, contacts), by, judged))
    for start, at in SURVEYS_AT.items():
        answers = {n: f"m_{m}" for n, m in measures(kpis, "surveys").items() if n.startswith(start)}
        relation = bookings.survey_bookings(only(by, text.STREAM_SURVEYS), at)
        sources.append(source(relation, by, answers))
    if any(kpi.table == "agents" for kpi in kpis):
        sources.append(ViewSource(quarters_until_now(rules), START_S, measures(kpis, "agents")))
    states = {name: f"m_{measure}" for name, measure in measures(kpis, "states").items()}
    sources.append(source(until_now(rules), by, states))
    return [found for found in sources if found.values]
