"""KPIs of a world of contacts and agents, straight from the facts: what stream and SQL must equal."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from kpis.agents.present import open_sessions_of, present_quarters
from kpis.agents.quarters import AGENT_MEASURES, agent_quarters
from kpis.agents.sessions import sessions_of
from kpis.agents.states import state_measures, stints_of
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.figure import Longest, LongestWaitNow
from kpis.catalogue.kpi import Kpi, applicable, quotient, total
from kpis.facts import AgentQuarter, Facts, FcrFact
from kpis.fcr.customer_contacts import judge
from kpis.fcr.visit import visits_by_customer
from kpis.fold.events import fold
from kpis.rules import DEFAULT_RULES, Rules
from kpis.tallies.backlog import backlog_measures
from kpis.tallies.callbacks import callback_measures, request_of
from kpis.tallies.fcr import FCR_MEASURES, by_days, fcr_contribution, is_final, is_repeated
from kpis.tallies.live import is_waiting, live_measures
from kpis.tallies.surveys import survey_measures
from kpis.tallies.windows import MEASURES, contribution
from schemas.events import AgentStateChanged, ContactEvent

Sums = dict[str, int]


@dataclass
class World:
    """Events of contacts and agents, and the rules they are counted by."""

    contacts: dict[str, list[ContactEvent]] = field(default_factory=dict)
    states: list[AgentStateChanged] = field(default_factory=list)
    rules: Rules = DEFAULT_RULES

    def facts(self, as_of: int | None = None) -> list[Facts]:
        """Facts of every contact."""
        return [fold(events, self.rules, as_of) for events in self.contacts.values()]


def fcr_facts(facts: Iterable[Facts], rules: Rules) -> list[FcrFact]:
    """Facts of repeat contacts of all customers."""
    customers = visits_by_customer(facts).values()
    return [fact for visits in customers for fact in judge(visits, rules.fcr)]


def quarters(world: World) -> list[AgentQuarter]:
    """Quarter-hours of all agents."""
    sessions = [session for facts in world.facts() for session in sessions_of(facts, world.rules)]
    agents = sorted({s.agent for s in sessions} | {event.agent for event in world.states})
    return [
        quarter
        for agent in agents
        for quarter in agent_quarters(
            [s for s in sessions if s.agent == agent],
            [event for event in world.states if event.agent == agent],
            world.rules,
        )
    ]


def quarters_at(world: World, as_of: int) -> list[tuple[AgentQuarter, bool]]:
    """Quarter-hours of all agents at a moment, and whether anything open is in them."""
    facts = world.facts()
    done = [session for one in facts for session in sessions_of(one, world.rules)]
    opened = [session for one in facts for session in open_sessions_of(one, as_of, world.rules)]
    agents = {session.agent for session in (*done, *opened)} | {event.agent for event in world.states}
    return [
        found
        for agent in sorted(agents)
        for found in present_quarters(
            [session for session in done if session.agent == agent],
            [session for session in opened if session.agent == agent],
            [event for event in world.states if event.agent == agent],
            as_of,
            world.rules,
        )
    ]


def judgement(fact: FcrFact, days: int, as_of: int) -> str:
    """What an anchor is at a moment: failed, success or pending; "-" where it is none."""
    if not fact.anchor or fact.ended_at is None:
        return "-"
    if fact.failed or is_repeated(fact, days):
        return "failed"
    return "success" if is_final(fact.ended_at - fact.ended_at % 60_000, days, as_of) else "pending"


def add_up(rows: Iterable[Sums]) -> Sums:
    """Sum of measures, by name."""
    sums: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        for name, value in row.items():
            sums[name] += value
    return sums


def fcr_sums(kpi: Kpi, judged: Iterable[FcrFact], rules: Rules, as_of: int) -> Sums:
    """Measures of first contact resolution for the KPI's window and maturity."""
    rows = []
    for fact in judged:
        for window, tally in fcr_contribution(fact, rules.fcr).items():
            mature = is_final(window.start, kpi.days, as_of)
            if kpi.maturity == "all" or mature == (kpi.maturity == "final"):
                of_days = dict(by_days(tally, rules.fcr))[kpi.days]
                rows.append(dict(zip(FCR_MEASURES, of_days, strict=True)))
    return add_up(rows)


def sums_of(kpi: Kpi, world: World, as_of: int) -> Sums:
    """Sums of the measures that a KPI is made of."""
    rules, facts = world.rules, world.facts()
    if kpi.table == "fcr":
        return fcr_sums(kpi, fcr_facts(facts, rules), rules, as_of)
    if kpi.table == "surveys":
        return add_up(survey_measures(survey) for one in facts for survey in one.surveys)
    if kpi.table == "callbacks":
        calls = [one for one in facts if one.contact and one.contact.callback_of]
        return add_up(
            callback_measures(
                request,
                [c for c in calls if c.contact and c.contact.callback_of == request.contact_id],
                rules,
            )
            for one in facts
            if (request := request_of(one.legs)) is not None
        )
    if kpi.table == "states":
        agents = sorted({event.agent for event in world.states})
        return add_up(
            amounts
            for agent in agents
            for stint in stints_of([e for e in world.states if e.agent == agent], as_of, rules)
            for _, amounts in state_measures(stint)
        )
    if kpi.table == "backlog":
        return add_up(
            backlog_measures(one.contact, one.legs, as_of, rules) for one in world.facts() if one.contact
        )
    if kpi.table == "agents":
        return add_up(
            {name: getattr(quarter, name) for name in AGENT_MEASURES}
            for quarter, _ in quarters_at(world, as_of)
        )
    if kpi.table == "live":
        now = [leg for one in world.facts(as_of) for leg in one.legs]
        return add_up(live_measures(leg, as_of, rules) for leg in now)
    return add_up(
        dict(zip(MEASURES, tally, strict=True))
        for one in facts
        for window, tally in contribution(one, rules).items()
        if applicable(kpi, window.channel, rules.async_channels)
    )


def kpi_value(kpi_id: str, world: World, as_of: int) -> float | None:
    """Value of a KPI over all that is known."""
    kpi = every_kpi(world.rules)[kpi_id]
    legs = [leg for one in world.facts(as_of if kpi.table == "live" else None) for leg in one.legs]
    if isinstance(kpi.figure, LongestWaitNow):
        ages = [as_of - leg.entered_at for leg in legs if is_waiting(leg, as_of, world.rules)]
        return max(ages, default=None)
    if kpi.figure == Longest("queue_ms"):
        return max((leg.queue_ms for leg in legs if leg.queue_ms is not None), default=None)
    assert kpi.figure is None, f"{kpi_id} is not evaluated here"
    sums = sums_of(kpi, world, as_of)
    return quotient(total(kpi.num, sums), total(kpi.den, sums))
