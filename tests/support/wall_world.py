"""A contact centre for the wallboard: weeks of the same weekday and this morning, stored as the stream does.

The queue `billing` has too few agents this morning.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from clickhouse_connect.driver.client import Client

from kpis.fcr.customer_contacts import judge
from kpis.fcr.visit import visit_of
from kpis.fold.events import fold
from kpis.rules import DEFAULT_RULES as RULES
from kpis.tallies.fcr import FCR_MEASURES, by_days, fcr_contribution
from kpis.tallies.windows import MEASURES, contribution
from schemas.codec import encode
from schemas.events import AgentStateChanged, ContactEvent, Event, SourceHeartbeat
from schemas.time_units import DAY_MS, HOUR_MS
from simulator.default import DEFAULT_SHAPE
from simulator.shape import Shape
from simulator.simulation import Simulation
from sinks import rows

NOW_MS = 1_795_607_497_000  # Wednesday 2026-11-25, 11:51:37 UTC
OPENING_MS = 7 * HOUR_MS


def shape_of(share: float, billing: int | None = None) -> Shape:
    """The usual centre, smaller by a share; `billing` agents in that queue."""
    queues = []
    for queue in DEFAULT_SHAPE.queues:
        agents = max(round(queue.agents * share), 1)
        if queue.name == "billing" and billing is not None:
            agents = billing
        queues.append(replace(queue, per_hour=queue.per_hour * share, agents=agents))
    return Shape(tuple(queues), DEFAULT_SHAPE.season)


def told(weeks: int, share: float, now_ms: int, billing: int) -> list[Event]:
    """What was told on the same weekday of some weeks, and today until now."""
    today = now_ms // DAY_MS * DAY_MS
    events: list[Event] = []
    for week in range(weeks, 0, -1):
        start = today - week * 7 * DAY_MS + OPENING_MS
        run = Simulation(week, shape_of(share), start_ms=start, hours=11).events()
        events += [event.model_copy(update={"contact_id": f"{week}-{event.contact_id}"}) for event in run]
    start = today + OPENING_MS
    hours = (now_ms - start) / HOUR_MS
    run = Simulation(9, shape_of(share, billing), start_ms=start, hours=hours, cut=True)
    return events + [event for event in run.everything() if event.occurred_at <= now_ms]


def insert(client: Client, table: str, columns: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    found = [*lines]
    if found:
        client.insert(table, found, column_names=columns)


def store(client: Client, events: Iterable[Event]) -> None:
    """Events, facts and windows."""
    contacts: dict[str, list[ContactEvent]] = defaultdict(list)
    agents, beats = [], {}
    for event in events:
        if isinstance(event, AgentStateChanged):
            agents.append(event)
        elif isinstance(event, SourceHeartbeat):
            beats[event.source] = event
        else:
            contacts[event.contact_id].append(event)
    every = itertools.chain.from_iterable(contacts.values())
    insert(client, "events", rows.EVENT_COLUMNS, (rows.event_row(e, encode(e)) for e in every))
    agent_rows = (rows.agent_event_row(e, encode(e)) for e in agents)
    insert(client, "agent_events", rows.AGENT_EVENT_COLUMNS, agent_rows)
    insert(
        client,
        "heartbeats",
        rows.HEARTBEAT_COLUMNS,
        [rows.heartbeat_row(beat, beat.occurred_at) for beat in beats.values()],
    )
    store_facts(client, contacts)


def store_facts(client: Client, contacts: dict[str, list[ContactEvent]]) -> None:
    folded = [fold(told_of, RULES) for told_of in contacts.values()]
    facts = {
        "contacts": [f.contact for f in folded if f.contact],
        "legs": [leg for f in folded for leg in f.legs],
        "surveys": [survey for f in folded for survey in f.surveys],
    }
    visits = defaultdict(list)
    for contact in facts["contacts"]:
        if visit := visit_of(contact):
            visits[visit.customer_key].append(visit)
    judged = [fact for group in visits.values() for fact in judge(group, RULES.fcr)]
    for table, found in (*facts.items(), ("fcr", judged)):
        columns = rows.COLUMNS[table]
        insert(client, table, columns, (rows.fact_row(columns, asdict(fact), 1) for fact in found))
    windows: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0] * len(MEASURES))
    for one in folded:
        for window, tally in contribution(one, RULES).items():
            sums = windows[window.start, window.channel, window.queue]
            sums[:] = map(sum, zip(sums, tally, strict=True))
    insert(client, "kpi_windows", rows.WINDOW_COLUMNS, ([*key, 0, *v, 1] for key, v in windows.items()))
    repeats: dict[tuple[int, str, str, int], list[int]] = defaultdict(lambda: [0] * len(FCR_MEASURES))
    for fact in judged:
        for window, tally in fcr_contribution(fact, RULES.fcr).items():
            for days, part in by_days(tally, RULES.fcr):
                sums = repeats[window.start, window.channel, window.queue, days]
                sums[:] = map(sum, zip(sums, part, strict=True))
    insert(client, "fcr_windows", rows.FCR_WINDOW_COLUMNS, ([*k, 0, *v, 1] for k, v in repeats.items()))


def store_world(
    client: Client, weeks: int = 4, share: float = 0.5, billing: int = 4, now_ms: int = NOW_MS
) -> None:
    """The centre as it stands at a moment."""
    store(client, told(weeks, share, now_ms - now_ms % 1_000, billing))
