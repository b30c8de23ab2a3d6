"""How events arrive: late, out of order, more than once, and now and then wrong before they are right.

The set of events stays what it was, and so must every KPI.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from schemas.events import AgentStateChanged, Event, SourceHeartbeat
from schemas.time_units import MINUTE_MS, SECOND_MS
from simulator.shape import Duration

DELAY = Duration(300, 1.5)
LATE_BY = Duration(20 * MINUTE_MS, 2.0)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event and when it arrives (simulated UTC ms); the same event can arrive several times."""

    at_ms: int
    event: Event


@dataclass(frozen=True, slots=True)
class Disorder:
    """What a transport does to events, as shares of them."""

    delay: Duration = DELAY
    late: float = 0.02
    late_by: Duration = LATE_BY
    duplicated: float = 0.03
    corrected: float = 0.003  # first told with a wrong time, later as it was, under a higher revision
    wrong_by_ms: int = 90 * SECOND_MS


ORDERLY = Disorder(delay=Duration(1), late=0, duplicated=0, corrected=0)


def copies(event: Event, disorder: Disorder, rng: Random) -> list[Event]:
    """What is sent for one event: itself, perhaps twice, perhaps a wrong version of it too.

    A heartbeat is never wrong: one from the future would promise what is not told yet.
    """
    sent = [event]
    if rng.random() < disorder.duplicated:
        sent.append(event)
    if rng.random() < disorder.corrected and not isinstance(event, SourceHeartbeat):
        wrong_at = event.occurred_at + rng.randint(1, disorder.wrong_by_ms)
        right = event.model_copy(update={"revision": event.revision + 1})
        sent = [right if copy is event else copy for copy in sent]
        sent.append(event.model_copy(update={"occurred_at": wrong_at}))
    return sent


def deliver(events: Iterable[Event], disorder: Disorder | None = None, seed: int = 0) -> Iterator[Delivery]:
    """Deliveries in the order of arrival, of events in the order of time. Holds only what is under way.

    Contact events are delivered in the same way whether those of agents and source are among them or not.
    """
    disorder = disorder or Disorder()
    contacts, surroundings = Random(f"deliveries {seed}"), Random(f"deliveries beside contacts {seed}")
    under_way: list[tuple[int, int, Event]] = []
    number = 0
    for event in events:
        while under_way and under_way[0][0] < event.occurred_at:
            at_ms, _, arrived = heapq.heappop(under_way)
            yield Delivery(at_ms, arrived)
        rng = surroundings if isinstance(event, AgentStateChanged | SourceHeartbeat) else contacts
        for copy in copies(event, disorder, rng):
            delay_ms = disorder.delay.draw(rng)
            if rng.random() < disorder.late:
                delay_ms += disorder.late_by.draw(rng)
            number += 1
            heapq.heappush(under_way, (event.occurred_at + delay_ms, number, copy))
    while under_way:
        at_ms, _, arrived = heapq.heappop(under_way)
        yield Delivery(at_ms, arrived)
