"""Finding the leg that a line is about, also where Asterisk logs it under the id of another call.

An attended transfer makes two calls one, and which of the two ids the lines after it carry depends on how the
bridges were merged. The lines repeat how long the caller has waited and talked: with that a leg can be found
again under another id, from the lines alone and the same on every reading.
"""

from typing import Any

from adapters.app_queue.facts import Fact
from adapters.app_queue.log import CONTACT, SAME_MS, Log, amend_end, end_leg, start
from adapters.app_queue.state import Call, Leg


def last_waiting(call: Call | None, queue: str) -> Leg | None:
    """The leg of a call that waits in a queue."""
    legs = call.legs if call else []
    return next((leg for leg in reversed(legs) if leg.waits and leg.queue == queue), None)


def last_talking(call: Call | None, queue: str, agent: str) -> Leg | None:
    """The leg of a call that an agent of a queue has answered and that no line has ended."""
    legs = call.legs if call else []
    found = (leg for leg in reversed(legs) if leg.talks and leg.queue == queue and leg.agent == agent)
    return next(found, None)


def add_leg(log: Log, fact: Fact, call: Call, entered_ms: int, told: bool = True) -> Leg:
    """The call enters a queue: a leg begins, and what it left behind is over."""
    leave(log, fact.call, call, fact.queue, entered_ms)
    leg = Leg(len(call.legs) + 1, fact.queue, entered_ms)
    call.legs.append(leg)
    if told:
        log.tell(fact.call, leg.number, f"{leg.number}-queued", "queued", entered_ms, queue=fact.queue)
    return leg


def leave(log: Log, call_id: str, call: Call, queue: str, time_ms: int) -> None:
    """End what the call leaves by entering a queue: a conversation is passed on, a wait flows on.

    The line that says how comes in the same second, before or after; of AMI's Redirect none ever says it.
    """
    if not call.legs:
        return
    last = call.legs[-1]
    if last.end is None:
        kind = "queue_flow" if last.connected_ms is None else "cold"
        last.left_ms = time_ms
        end_leg(log, call_id, last, "", "transferred", time_ms, kind=kind, to_queue=queue)
    elif last.end["type_"] == "transferred" and "to_queue" not in last.end:
        amend_end(log, call_id, last, to_queue=queue)
    elif last.end["type_"] == "abandoned" and last.ended_ms is not None:
        # Nobody hung up: AMI's Redirect took him out of the queue, which Asterisk logs as ABANDON.
        flow = {"kind": "queue_flow", "to_queue": queue, "wait_ms": last.end.get("wait_ms")}
        end_leg(log, call_id, last, last.end_line, "transferred", last.ended_ms, **flow)


def sent_on(log: Log, fact: Fact) -> str | None:
    """The call that an agent behind a Local channel has passed on with his telephone.

    Its lines have the id of the second half of that channel, the next one. An unrelated call may have that id
    too, and it enters a queue first: where it does, the number must be the customer's.
    """
    begin, _, number = fact.call.rpartition(".")
    if not number.isascii() or not number.isdigit():
        return None
    first, enters = f"{begin}.{int(number) - 1}", fact.event == "ENTERQUEUE"
    call_id = log.state.channels.get(first, "")
    call = log.state.calls.get(call_id)
    if call is None or not enters:
        return call_id if call else None
    key = log.key(fact.param(1))
    talks = any(leg.talks and leg.channel == first for leg in call.legs)
    return call_id if talks and key and key == call.started.get("customer_key") else None


def waiting_inquiry(log: Log, call_id: str, of: str) -> Leg | None:
    """The leg of another call in which the agent's inquiry still waits."""
    call = log.state.calls.get(call_id) if call_id != of else None
    return next((leg for leg in call.legs if leg.waits), None) if call else None


def adopt(log: Log, fact: Fact, entered_ms: int | None) -> Leg | None:
    """The leg of another call that waits in this queue since then: it is this call's now.

    So after an attended transfer while the agent's inquiry still waits. That was no contact of its own.
    """
    if entered_ms is None:
        return None
    found = [
        (abs(leg.entered_ms - entered_ms), other_id, other, leg)
        for other_id, other in log.state.calls.items()
        if other_id != fact.call and (leg := last_waiting(other, fact.queue))
        and abs(leg.entered_ms - entered_ms) <= SAME_MS
    ]  # fmt: skip
    if not found or fact.call not in log.state.calls:
        return None
    _, other_id, other, leg = min(found, key=lambda each: each[:2])
    if len(other.legs) == 1:
        del log.state.calls[other_id]
        merged: dict[str, Any] = {"cause": "merged", "merged_into": CONTACT.format(fact.call)}
        log.tell(other_id, 1, "withdrawn", "withdrawn", fact.time_ms, **merged)
    else:
        end_leg(log, other_id, leg, "MERGED", "transferred", fact.time_ms, kind="warm")
    return add_leg(log, fact, log.state.calls[fact.call], leg.entered_ms)


def reached(log: Log, fact: Fact, entered_ms: int | None) -> Leg:
    """The leg that this line ends or answers: of this call, of another, or not seen before.

    It was not seen where the log begins after the call did: then the line itself tells since when it waited.
    """
    call = log.state.calls.get(fact.call)
    leg = last_waiting(call, fact.queue) or adopt(log, fact, entered_ms)
    if leg is not None:
        return leg
    since = fact.time_ms if entered_ms is None else entered_ms
    return add_leg(log, fact, call or start(log, fact.call, since), since)
