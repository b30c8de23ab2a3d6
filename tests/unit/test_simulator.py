import asyncio
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from support.erlang import one_queue

from adapters.sending.records import event_record
from kpis.fold.events import fold
from kpis.rules import DEFAULT_RULES
from kpis.tallies.offers import OFFER_MEASURES
from kpis.tallies.windows import MEASURES, ZERO, add, contribution
from schemas.codec import encode
from schemas.events import AgentStateChanged, SourceHeartbeat
from simulator.deliveries import Disorder, deliver
from simulator.pace import paced
from simulator.season import WEEK
from simulator.shape import Afterwards, Duration, Handling, QueueShape, Shape
from simulator.simulation import START_MS, Simulation

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def folded(events):
    """KPI windows of events, in any order and number, by the product's own fold."""
    contacts = defaultdict(list)
    for event in events:
        contacts[event.contact_id].append(event)
    sums = {}
    for own in contacts.values():
        facts = fold(own)
        assert facts.contact.flags == ()
        for window, tally in contribution(facts, DEFAULT_RULES).items():
            sums[window] = add(sums.get(window, ZERO), tally)
    named = {
        tuple(window): {name: value for name, value in zip(MEASURES, tally, strict=True) if value}
        for window, tally in sums.items()
    }
    return {window: amounts for window, amounts in named.items() if amounts}


def truth_of(simulation):
    return {tuple(window): amounts for window, amounts in simulation.truth.windows().items()}


RUNS = [
    pytest.param(1, {"hours": 14}, id="drained"),
    pytest.param(2, {"hours": 33.3, "cut": True}, id="cut at busy hours"),
    pytest.param(3, {"hours": 10.01, "cut": True}, id="cut in the morning"),
    pytest.param(4, {"contacts": 2_000}, id="a number of contacts"),
    pytest.param(5, {"hours": 12, "start_ms": START_MS + 5 * DAY}, id="a Saturday"),
]


@pytest.mark.parametrize(("seed", "how"), RUNS)
def test_truth_is_what_the_fold_makes_of_the_events(seed, how):
    simulation = Simulation(seed, **how)
    events = list(simulation.events())
    assert folded(events) == truth_of(simulation)


@pytest.mark.parametrize("seed", [6, 7])
def test_truth_survives_duplicates_lateness_corrections_and_shuffling(seed):
    simulation = Simulation(seed, hours=11)
    disorder = Disorder(late=0.1, duplicated=0.2, corrected=0.05)
    arrived = [delivery.event for delivery in deliver(simulation.events(), disorder, seed)]
    Random(seed).shuffle(arrived)
    assert len(arrived) > len({(event.contact_id, event.event_id) for event in arrived})
    assert folded(arrived) == truth_of(simulation)


# Nobody waits in the end, or for a whole day for a reply.
UNTOLD = {"waiting", "contact_waiting", "flow_out_in_target", "closed", "first_response_86400"}


def test_it_has_everything_that_a_contact_centre_has():
    simulation = Simulation(8, hours=24)
    events = list(simulation.events())
    types = Counter(event.type for event in events)
    assert len(types) == 11
    assert min(types.values()) > 20
    kinds = {event.kind for event in events if event.type == "contact_transferred"}
    assert kinds == {"cold", "warm", "external", "queue_flow", "callback", "voicemail"}
    places = {event.place for event in events if event.type == "contact_abandoned"}
    assert places == {"ivr", "queue", "ring", "hold"}
    started = [event for event in events if event.type == "contact_started"]
    assert {event.channel for event in started} == {"voice", "chat", "messaging", "email"}
    assert any(event.callback_of for event in started)
    customers = Counter(event.customer_key for event in started)
    assert max(customers.values()) > 2
    totals = simulation.truth.totals()
    # Nobody is offered another way out before the target has passed, and nobody is turned away. Of offers to
    # agents nothing is told.
    rejected = {name for name in MEASURES if name.startswith("rejected")} | {*OFFER_MEASURES}
    measured = set(MEASURES) - UNTOLD - rejected
    assert {name for name in measured if totals.get(name)} == measured
    assert "waiting" not in totals


def test_what_is_cut_off_is_open_in_the_truth():
    simulation = Simulation(9, hours=10, cut=True)
    events = list(simulation.events())
    totals = simulation.truth.totals()
    assert max(event.occurred_at for event in events) <= START_MS + 10 * HOUR
    assert totals["waiting"] > 0
    assert totals["ended"] < totals["contacts"] == simulation.contacts
    assert totals["offered"] == sum(totals[name] for name in ("answered", "abandoned", "flow_out", "waiting"))


def test_the_same_seed_gives_the_same_and_another_seed_another_world():
    one, two, other = (list(Simulation(seed, contacts=300).events()) for seed in (1, 1, 2))
    assert one == two
    assert one != other
    identities = {(event.contact_id, event.event_id) for event in one}
    assert len(identities) == len(one)
    assert [event.occurred_at for event in one] == sorted(event.occurred_at for event in one)


def test_arrivals_follow_the_week():
    shape = replace(one_queue(per_hour=200, talk_s=120, agents=10), season=WEEK)
    simulation = Simulation(3, shape, hours=7 * 24, silent=True)
    simulation.run()
    by_day, by_hour = Counter(), Counter()
    for window, amounts in simulation.truth.windows().items():
        by_day[(window.start - START_MS) // DAY] += amounts.get("contacts", 0)
        by_hour[window.start % DAY // HOUR] += amounts.get("contacts", 0)
    assert by_day[0] > 1.5 * by_day[5] > 1.5 * by_day[6] > 0
    assert by_hour[10] > 10 * by_hour[3] > 0


def test_deliveries_are_in_order_of_arrival_and_nothing_is_missing():
    events = list(Simulation(4, contacts=1_000).events())
    deliveries = list(deliver(events, seed=4))
    times = [delivery.at_ms for delivery in deliveries]
    assert times == sorted(times)
    identities = Counter((d.event.contact_id, d.event.event_id) for d in deliveries)
    assert set(identities) == {(event.contact_id, event.event_id) for event in events}
    assert 0.02 < sum(n - 1 for n in identities.values()) / len(events) < 0.05
    occurred = [delivery.event.occurred_at for delivery in deliveries]
    assert occurred != sorted(occurred)
    assert deliveries == list(deliver(events, seed=4))


@pytest.mark.parametrize(("limit", "expected"), [({"rate": 50}, 2.0), ({"speed": 3600}, None), ({}, 0.0)])
def test_pace(limit, expected):
    now = [0.0]

    async def sleep(seconds):
        now[0] += seconds

    deliveries = list(deliver(Simulation(5, contacts=50).events()))[:101]
    if expected is None:
        expected = (deliveries[-1].at_ms - deliveries[0].at_ms) / 1000 / 3600

    async def run():
        return [d async for d in paced(deliveries, **limit, clock=lambda: now[0], sleep=sleep)]

    assert asyncio.run(run()) == deliveries
    assert now[0] == pytest.approx(expected)


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"speed": -1}, {"rate": 1, "speed": 1}])
def test_pace_refuses_nonsense(wrong):
    with pytest.raises(ValueError, match="rate and speed"):
        asyncio.run(anext(paced([], **wrong)))


def test_cut_needs_an_end():
    with pytest.raises(ValueError, match="hours"):
        Simulation(cut=True)


def test_a_reopened_contact_counts_as_ended_once():
    queue = QueueShape(
        name="mail",
        channel="email",
        per_hour=60,
        agents=3,
        handling=Handling(Duration(60_000)),
        afterwards=Afterwards(reopened=0.5),
    )
    simulation = Simulation(1, Shape((queue,)), contacts=200)
    events = list(simulation.events())
    totals = simulation.truth.totals()
    assert totals["ended"] == totals["contacts"] == 200
    assert totals["offered"] == 200 + sum(event.type == "contact_reopened" for event in events) > 250
    assert totals["ever_reopened"] < totals["ever_resolved"] == 200


def test_drawn_durations_have_the_mean_they_are_asked_for():
    rng = Random(1)
    for duration in (Duration(60_000), Duration(60_000, 0.5), Duration(60_000, 1.5)):
        mean = sum(duration.draw(rng) for _ in range(40_000)) / 40_000
        assert mean == pytest.approx(60_000, rel=0.04)


def beside(events):
    """Events of agents and heartbeats."""
    states = [event for event in events if isinstance(event, AgentStateChanged)]
    return states, [event for event in events if isinstance(event, SourceHeartbeat)]


@pytest.fixture(scope="module")
def a_day():
    """Everything of a day, with its shifts, in order of time."""
    return list(Simulation(9, hours=24).everything())


def test_surroundings_change_no_contact_and_no_delivery_of_one():
    def contacts(things):
        return [thing for thing in things if hasattr(getattr(thing, "event", thing), "contact_id")]

    alone, among = Simulation(7, contacts=500), Simulation(7, contacts=500)
    events, everything = list(alone.events()), list(among.everything())
    assert contacts(everything) == events
    assert len(everything) > len(events)
    assert alone.truth.rows() == among.truth.rows()
    assert contacts(deliver(everything, seed=7)) == list(deliver(events, seed=7))
    assert everything == list(Simulation(7, contacts=500).everything())
    assert beside(everything) != beside(Simulation(8, contacts=500).everything())


def test_a_heartbeat_a_minute_promises_what_is_told(a_day):
    beats = beside(a_day)[1]
    times = [beat.occurred_at for beat in beats]
    assert times == list(range(START_MS, times[-1] + 1, MINUTE))
    assert a_day[-1].occurred_at - times[-1] <= MINUTE
    assert [event.occurred_at for event in a_day] == sorted(event.occurred_at for event in a_day)
    for event, following in pairwise(a_day):
        assert not isinstance(event, SourceHeartbeat) or following.occurred_at > event.occurred_at


def test_agents_log_on_pause_and_log_off(a_day):
    by_agent = defaultdict(list)
    for event in beside(a_day)[0]:
        by_agent[event.agent].append(event)
    assert len(by_agent) == 83  # all agents of the default shape
    for own in by_agent.values():
        states = [event.state for event in own]
        assert (states[0], states[-1]) == ("available", "offline")
        assert all(one != two for one, two in pairwise(states))
        assert len({event.occurred_at for event in own}) == len(own)
        assert len({event.event_id for event in own}) == len(own)
    states = Counter(event.state for own in by_agent.values() for event in own)
    assert min(states[name] for name in ("available", "break", "offline")) > 100


def test_agents_talk_only_while_available(a_day):
    """From the answer to the end of after-contact work."""
    state, working = {}, {}
    for event in a_day:
        if isinstance(event, AgentStateChanged):
            assert event.agent not in working.values() or event.state == "available"
            state[event.agent] = event.state
        elif event.type == "contact_answered":
            assert state[event.agent] == "available"
            working[event.contact_id, event.leg] = event.agent
        elif event.type == "contact_wrapped":
            del working[event.contact_id, event.leg]
    assert len(working) < 3  # after-contact work of no length


def test_as_many_are_logged_on_as_the_season_asks_for():
    """At a busy hour all of the queue, at night few more than are on duty: those called in."""
    at = {hour: START_MS + hour * HOUR + 30 * MINUTE for hour in (3, 10)}
    state, logged_on = {}, {}
    for event in Simulation(9, hours=12).everything():
        for hour, time_ms in at.items():
            if event.occurred_at > time_ms and hour not in logged_on:
                logged_on[hour] = sum(name != "offline" for name in state.values())
        if isinstance(event, AgentStateChanged):
            state[event.agent] = event.state
    assert logged_on[10] == 83
    assert 8 <= logged_on[3] < 20


def test_a_cut_simulation_sends_nobody_home():
    shape = one_queue(per_hour=100, talk_s=180, agents=7)
    last = {}
    for event in beside(Simulation(1, shape, hours=2, cut=True).everything())[0]:
        last[event.agent] = event.state
    assert len(last) == 7
    assert "offline" not in last.values()


def test_surroundings_are_late_and_doubled_and_go_to_topics_of_their_own(a_day):
    disorder = Disorder(corrected=0.1)
    arrived = [delivery.event for delivery in deliver(a_day, disorder, 1)]
    states, beats = beside(arrived)
    assert len({encode(beat) for beat in beats}) == len(beside(a_day)[1]) < len(beats)
    assert {beat.revision for beat in beats} == {0}
    assert {state.revision for state in states} == {0, 1}
    routes = {event.type: event_record(event, encode) for event in (states[0], beats[0])}
    assert routes["agent_state_changed"].topic == "agent-events"
    assert routes["agent_state_changed"].key == states[0].agent.encode()
    assert routes["source_heartbeat"].topic == "source-heartbeats"
    assert routes["source_heartbeat"].key == b"simulator"
