"""Which contacts are in the numerator and denominator of a quotient, by their facts."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from kpis.agents.present import open_sessions_of, present_end, present_quarters, present_state
from kpis.agents.sessions import AgentSession, StateInterval, interval_of, sessions_of
from kpis.catalogue.kpi import applicable, total
from kpis.facts import Facts, FcrFact
from kpis.fcr.customer_contacts import judge
from kpis.fcr.visit import Visit, group_of, last_callback, visits_by_customer
from kpis.rules import Rules
from kpis.tallies.backlog import backlog_measures
from kpis.tallies.fcr import (
    FCR_MEASURES,
    FcrTally,
    by_days,
    fcr_contribution,
    is_final,
    is_repeat,
    is_repeated,
)
from kpis.tallies.live import live_measures
from kpis.tallies.surveys import survey_measures
from kpis.tallies.windows import Window, additions, contact_bookings, minute
from reports.explain.reading import (
    Asked,
    Contributor,
    Reader,
    Shown,
    add_up,
    contributor_of,
    dimensions_of,
    own_denominator,
    relevant,
    utc_text,
)
from schemas.events import AgentStateChanged
from schemas.time_units import DAY_MS, MINUTE_MS, QUARTER_MS
from sql import explain_queries as text


def bookings_of(facts: Facts, rules: Rules) -> Iterator[tuple[Window, dict[str, int], Mapping[str, str]]]:
    """What a contact adds to windows, each with the dimensions of the leg, offer or contact that it is of."""
    parts = [(dimensions_of(leg), Facts(None, (leg,), ())) for leg in facts.legs]
    parts += [(dimensions_of(offer), Facts(None, (), (), (offer,))) for offer in facts.offers]
    for dimensions, part in parts:
        for window, amounts in additions(part, rules).items():
            yield window, amounts, dimensions
    if facts.contact is not None:
        for window, amounts in contact_bookings(facts.contact, facts.legs, rules):
            yield window, amounts, dimensions_of(facts.contact)


def of_windows(reader: Reader) -> Iterator[Contributor | None]:
    """Contacts that add anything to the KPI windows asked about."""
    asked, rules = reader.asked, reader.rules
    folded = reader.contacts(text.of_contacts_in_range())
    for contact_id, facts in folded.facts.items():
        sums = add_up(
            amounts
            for window, amounts, dimensions in bookings_of(facts, rules)
            if asked.holds(window.start)
            and asked.fits(window.channel, window.queue, dimensions)
            and applicable(asked.kpi, window.channel, rules.async_channels)
        )
        yield contributor_of(asked.kpi, contact_id, sums, folded)


def of_surveys(reader: Reader) -> Iterator[Contributor | None]:
    """Contacts with survey answers that count in the time asked about."""
    asked = reader.asked
    folded = reader.contacts(text.of_contacts_in_range())
    for contact_id, facts in folded.facts.items():
        answers = [
            survey
            for survey in facts.surveys
            if asked.holds(survey.responded_at if asked.kpi.booked == "responded" else survey.booked_at)
            and asked.fits(survey.channel, survey.queue, dimensions_of(survey))
        ]
        yield contributor_of(
            asked.kpi, contact_id, add_up(survey_measures(survey) for survey in answers), folded
        )


def of_backlog(reader: Reader) -> Iterator[Contributor | None]:
    """Contacts that are open at the moment."""
    asked = reader.asked
    folded = reader.contacts(text.of_backlog())
    for contact_id, facts in folded.facts.items():
        one = facts.contact
        if one is not None and asked.fits(one.channel, one.queue, dimensions_of(one)):
            sums = backlog_measures(one, facts.legs, asked.as_of_ms, reader.rules)
            yield contributor_of(asked.kpi, contact_id, sums, folded)


def of_live(reader: Reader) -> Iterator[Contributor | None]:
    """Contacts with legs that are something at the moment."""
    asked, rules = reader.asked, reader.rules
    folded = reader.contacts(text.of_moment() if asked.kpi.is_state else text.of_contacts_in_range())
    for contact_id, facts in folded.facts.items():
        legs = [
            leg
            for leg in facts.legs
            if leg.entered_at <= asked.as_of_ms
            and asked.fits(leg.channel, leg.queue, dimensions_of(leg))
            and (asked.kpi.is_state or asked.holds(leg.entered_at))
        ]
        sums = add_up(live_measures(leg, asked.as_of_ms, rules) for leg in legs)
        yield contributor_of(asked.kpi, contact_id, sums, folded)


def of_fcr(reader: Reader) -> Iterator[Contributor | None]:
    """Anchors and candidates, with the contact that came after or before."""
    asked, rules = reader.asked, reader.rules
    folded = reader.contacts(text.of_customers_in_range())
    for visits in visits_by_customer(folded.facts.values()).values():
        facts = judge(visits, rules.fcr)
        for fact in facts:
            one = folded.facts[fact.contact_id].contact
            own = {"agent": fact.agent, "team": fact.team, "reason": fact.reason}
            dimensions = {**(one.dimensions if one else {}), **own}
            sums = add_up(
                of_length(tally, asked.kpi.days_at(window.start), rules)
                for window, tally in fcr_contribution(fact, rules.fcr).items()
                if asked.holds(window.start)
                and asked.fits(window.channel, window.queue, dimensions)
                and counts(asked, window.start)
            )
            found = contributor_of(asked.kpi, fact.contact_id, sums, folded)
            if found is not None:
                note, ids = judgement(fact, facts, visits, asked, rules)
                related = tuple((other, role, folded.shown(other)) for other, role in ids)
                said = "; ".join(text for text in (note, found.note) if text)
                yield replace(found, note=said, related=related)


def of_length(tally: FcrTally, days: int, rules: Rules) -> dict[str, int]:
    """The measures of one length of the window."""
    return dict(zip(FCR_MEASURES, dict(by_days(tally, rules.fcr))[days], strict=True))


def counts(asked: Asked, window_start: int) -> bool:
    """Does the KPI count windows of this maturity?"""
    mature = is_final(window_start, asked.kpi.days_at(window_start), asked.as_of_ms)
    return asked.kpi.maturity == "all" or mature == (asked.kpi.maturity == "final")


def judgement(
    fact: FcrFact, facts: list[FcrFact], visits: list[Visit], asked: Asked, rules: Rules
) -> tuple[str, list[tuple[str, str]]]:
    """Why a contact failed, succeeded or is pending, and the contacts that have to do with it."""
    ended = fact.ended_at if asked.kpi.booked == "ended" else None
    days = asked.kpi.days_at(minute(fact.begins_at if ended is None else ended))
    group = sorted(
        (other for other in facts if group_of(other, rules.fcr) == group_of(fact, rules.fcr)),
        key=lambda other: (other.begins_at, other.contact_id),
    )
    notes, ids = [], []
    callback = last_callback(visit for visit in visits if visit.callback_of == fact.contact_id)
    own = next(visit for visit in visits if visit.contact_id == fact.contact_id)
    if callback is not None and own.wants_callback:
        ids.append((callback.contact_id, "the call back that ended it"))
    if fact.anchor and is_repeated(fact, days):
        later = [o for o in group if o.begins_at == fact.next_at and o.contact_id != fact.contact_id]
        after = [o for o in later if (o.begins_at, o.contact_id) > (fact.begins_at, fact.contact_id)]
        ids += [(other.contact_id, "the contact that repeated it") for other in (after or later)[:1]]
        notes.append(
            f"failed: the customer came back within {days} d, at {utc_text(fact.next_at or 0, exact=True)}"
        )
    if fact.failed:
        notes.append("failed by itself: not resolved, or reopened")
    if fact.anchor and fact.ended_at is not None and not notes:
        over = is_final(minute(fact.ended_at), days, asked.as_of_ms)
        until = utc_text(minute(fact.ended_at) + MINUTE_MS + days * DAY_MS)
        notes.append("success" if over else f"pending: not failed so far, final at {until}")
    if is_repeat(fact, days):
        notes.append("repeats an earlier contact")
        earlier = [other for other in group if other.ended_at == fact.previous_end_at and other is not fact]
        ids += [(other.contact_id, "the contact that it repeats") for other in earlier[:1]]
    return "; ".join(notes), ids


def of_agents(reader: Reader) -> Iterator[Contributor | None]:
    """Agents' quarter-hours, with the sessions and states in them; what is open lasts up to the moment."""
    asked, rules = reader.asked, reader.rules
    folded = reader.contacts(text.of_sessions_in_range())
    states = reader.states(text.later_states())
    sessions: dict[str, list[AgentSession]] = {agent: [] for agent in states}
    opened: defaultdict[str, list[AgentSession]] = defaultdict(list)
    for facts in folded.facts.values():
        for session in sessions_of(facts, rules):
            sessions.setdefault(session.agent, []).append(session)
        for session in open_sessions_of(facts, asked.as_of_ms, rules):
            opened[session.agent].append(session)
            sessions.setdefault(session.agent, [])
    for agent, finished in sessions.items():
        said = states.get(agent, [])
        worked = [*finished, *opened[agent]]
        present = present_state(said, asked.as_of_ms, rules)
        for quarter, _ in present_quarters(finished, opened[agent], said, asked.as_of_ms, rules):
            if not asked.holds(quarter.window_start):
                continue
            sums = {name: getattr(quarter, name) for name in {**asked.kpi.num, **asked.kpi.den}}
            measures = relevant(asked.kpi, sums)
            if measures:
                subject = {"agent": agent, "quarter": utc_text(quarter.window_start), "team": quarter.team}
                seen = [*said, present_end(present, asked.as_of_ms)] if present else said
                evidence = tuple(evidence_of(quarter.window_start, worked, seen, rules))
                num, den = total(asked.kpi.num, sums), own_denominator(asked.kpi, sums)
                yield Contributor(subject, num, den, measures, events=evidence)


def evidence_of(
    start: int, sessions: list[AgentSession], states: list[AgentStateChanged], rules: Rules
) -> Iterator[Shown]:
    """Sessions and states that meet a quarter, in order."""
    ordered = sorted(states, key=lambda event: (event.occurred_at, event.event_id))
    lasting = [interval_of(a, a.occurred_at, b.occurred_at, rules) for a, b in pairwise(ordered)]
    spans: list[AgentSession | StateInterval] = [*sessions, *(span for span in lasting if span is not None)]
    for span in sorted(spans, key=lambda span: (span.begin, span.end)):
        if span.begin < start + QUARTER_MS and span.end >= start:
            times = {"at": utc_text(span.begin, exact=True), "until": utc_text(span.end, exact=True)}
            if isinstance(span, AgentSession):
                yield {**times, "type": "session", "leg": span.leg, "contact_id": span.contact_id}
            else:
                yield {**times, "type": "state", "state": span.state}
