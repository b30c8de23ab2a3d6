"""What an event of mod_callcenter makes known of a contact.

A contact is the caller's channel (CC-Member-Session-UUID), a leg a stay in a queue (CC-Member-UUID): members
of queues have ids of their own, and one comes again with another channel if he calls again after he hung up.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from adapters.freeswitch.fields import Fields, seconds_ms, time_ms
from adapters.freeswitch.state import Leg, Session, State
from adapters.kit.outcomes import InvalidInput, build
from schemas.customer_key import customer_key
from schemas.events import Event

SOURCE = "freeswitch"
CONTACT = "freeswitch-{}"
REFUSED = ("USER_BUSY", "CALL_REJECTED")
WITHDRAWN = ("LOSE_RACE", "ORIGINATOR_CANCEL", "PICKED_OFF")
HANG_UPS = ("BREAK_OUT", "NONE", "")


@dataclass
class Calls:
    """The state, and the events that the event at hand gives."""

    secret: bytes
    state: State = field(default_factory=State)
    events: list[Event] = field(default_factory=list)

    def take(self) -> tuple[Event, ...]:
        """The events since this was called last."""
        events, self.events = tuple(self.events), []
        return events

    def tell(self, session: str, leg: int, name: str, type_: str, at_ms: int, **more: Any) -> None:
        """Add an event of a contact. Raises InvalidInput."""
        envelope = {
            "event_id": name,
            "contact_id": CONTACT.format(session),
            "leg": leg,
            "occurred_at": at_ms,
            "source": SOURCE,
        }
        self.events.append(build(f"contact_{type_}", envelope | more))


def ids(fields: Fields) -> tuple[str, str]:
    """The caller's channel and the member. Raises InvalidInput."""
    session, member = fields.get("CC-Member-Session-UUID", ""), fields.get("CC-Member-UUID", "")
    if not session or not member:
        raise InvalidInput("no_identity", "CC-Member-Session-UUID or CC-Member-UUID is missing")
    return session, member


def leg_of(calls: Calls, fields: Fields, begin: bool = False) -> tuple[str, Leg]:
    """The leg that an event is about. An offer may come before the beginning of the wait it is made for.

    Where the beginning was not seen, the event tells in whole seconds when it was.
    """
    session_id, member = ids(fields)
    at_ms = time_ms(fields)
    session = calls.state.sessions.setdefault(session_id, Session(at_ms))
    session.last_ms = max(session.last_ms, at_ms)
    leg = session.legs.get(member)
    if leg is None:
        number, host = len(session.legs) + 1, fields.get("FreeSWITCH-Hostname", "")
        leg = session.legs[member] = Leg(number, fields.get("CC-Queue", "") or "unknown", host)
    if not begin and leg.entered_ms is None:
        joined_ms = seconds_ms(fields, "CC-Member-Joined-Time")
        enter(calls, fields, session_id, leg, at_ms if joined_ms is None else joined_ms)
    return session_id, leg


def enter(calls: Calls, fields: Fields, session_id: str, leg: Leg, at_ms: int, **more: Any) -> None:
    """The member waits; with the first wait the contact begins. An agent who had him has passed him on."""
    session = calls.state.sessions[session_id]
    leg.entered_ms = at_ms
    if not session.started:
        session.started = True
        key = customer_key(fields.get("CC-Member-CID-Number", ""), calls.secret)
        calls.tell(session_id, 1, "started", "started", at_ms, customer_key=key, **more)
    for before in session.legs.values():
        if before is not leg and before.number < leg.number and not before.ended:
            before.ended = before.passed_on = True
            kind = "queue_flow" if before.bridged_ms is None else "cold"
            end = f"{before.number}-end"
            calls.tell(session_id, before.number, end, "transferred", at_ms, kind=kind, to_queue=leg.queue)
    calls.tell(session_id, leg.number, f"{leg.number}-queued", "queued", at_ms, queue=leg.queue)


def queue_start(calls: Calls, fields: Fields) -> None:
    """member-queue-start; member-queue-resume if he was waiting before, hung up and called again."""
    session_id, member = ids(fields)
    _, leg = leg_of(calls, fields, begin=True)
    parent = calls.state.members.get(member)
    calls.state.members[member] = session_id
    if leg.entered_ms is None:
        again = parent is not None and parent != session_id
        more = {"parent_contact_id": CONTACT.format(parent)} if again else {}
        enter(calls, fields, session_id, leg, time_ms(fields), **more)


def offering(calls: Calls, fields: Fields) -> None:
    """agent-offering: a telephone begins to ring."""
    _, leg = leg_of(calls, fields, begin=True)
    leg.ringing[fields.get("CC-Agent", "")] = time_ms(fields)


def offered(calls: Calls, fields: Fields, session_id: str, leg: Leg, outcome: str) -> None:
    """The ringing of an agent's telephone is over."""
    agent, at_ms = fields.get("CC-Agent", ""), time_ms(fields)
    if not agent or (agent, at_ms) in leg.offers:
        return
    leg.offers.append((agent, at_ms))
    since_ms = leg.ringing.pop(agent, None)
    ring_ms = None if since_ms is None else max(at_ms - since_ms, 0)
    name = f"{leg.number}-offered-{len(leg.offers)}"
    told = {"agent": agent, "outcome": outcome, "ring_ms": ring_ms}
    calls.tell(session_id, leg.number, name, "offered", at_ms, **told)


def fail(calls: Calls, fields: Fields) -> None:
    """bridge-agent-fail: the agent did not pick up, refused, or another was faster."""
    session_id, leg = leg_of(calls, fields)
    cause = fields.get("CC-Hangup-Cause", "")
    outcome = "refused" if cause in REFUSED else "withdrawn" if cause in WITHDRAWN else "missed"
    offered(calls, fields, session_id, leg, outcome)


def bridge_start(calls: Calls, fields: Fields) -> None:
    """bridge-agent-start: agent and caller are joined."""
    session_id, leg = leg_of(calls, fields)
    if leg.ended or leg.bridged_ms is not None:
        return
    leg.rang_ms = leg.ringing.pop(fields.get("CC-Agent", ""), None)
    answered(calls, session_id, leg, fields.get("CC-Agent", ""), time_ms(fields))
    if uuid := fields.get("CC-Agent-UUID", ""):
        calls.state.agents[uuid] = ids(fields)


def accepted(calls: Calls, session_id: str, leg: Leg) -> None:
    """The offer that the agent took; told when the conversation has proved to be one."""
    if leg.bridged_ms is None or not leg.agent or (leg.agent, leg.bridged_ms) in leg.offers:
        return
    leg.offers.append((leg.agent, leg.bridged_ms))
    ring_ms = None if leg.rang_ms is None else max(leg.bridged_ms - leg.rang_ms, 0)
    name = f"{leg.number}-offered-{len(leg.offers)}"
    told = {"agent": leg.agent, "outcome": "answered", "ring_ms": ring_ms}
    calls.tell(session_id, leg.number, name, "offered", leg.bridged_ms, **told)


def answered(calls: Calls, session_id: str, leg: Leg, agent: str, at_ms: int) -> None:
    """The conversation begins."""
    leg.bridged_ms, leg.agent = at_ms, agent
    wait_ms = None if leg.entered_ms is None else max(at_ms - leg.entered_ms, 0)
    told = {"agent": agent or None, "queue": leg.queue, "wait_ms": wait_ms}
    calls.tell(session_id, leg.number, f"{leg.number}-answered", "answered", at_ms, **told)


def bridge_end(calls: Calls, fields: Fields) -> None:
    """bridge-agent-end: the agent is gone. CC-Agent-Bridged=false: he was never joined to the caller.

    Then the answer that was told is taken back: the event of its id becomes an offer that was withdrawn.
    """
    session_id, leg = leg_of(calls, fields)
    leg.unbridged_ms = time_ms(fields)
    if fields.get("CC-Agent-Bridged") != "false" or leg.not_bridged:
        accepted(calls, session_id, leg)
        return
    leg.not_bridged = True
    if leg.bridged_ms is None:
        offered(calls, fields, session_id, leg, "withdrawn")
        return
    agent, leg.agent = leg.agent, ""
    at_ms, leg.bridged_ms = leg.bridged_ms, None
    told = {"agent": agent or "unknown", "outcome": "withdrawn", "revision": 1}
    calls.tell(session_id, leg.number, f"{leg.number}-answered", "offered", at_ms, **told)


def queue_end(calls: Calls, fields: Fields) -> None:
    """member-queue-end: the member has left the queue, Terminated after an agent, Cancel without one."""
    session_id, leg = leg_of(calls, fields)
    if leg.ended:
        return
    leg.ended, at_ms, name = True, time_ms(fields), f"{leg.number}-end"
    wait_ms = max((leg.bridged_ms or at_ms) - (leg.entered_ms or at_ms), 0)
    if fields.get("CC-Cause") == "Terminated":
        terminated(calls, fields, session_id, leg)
    elif fields.get("CC-Cancel-Reason", "") in HANG_UPS:
        told = {"place": "queue", "by": "customer", "wait_ms": wait_ms}
        calls.tell(session_id, leg.number, name, "abandoned", at_ms, **told)
    else:
        told = {"kind": "queue_flow", "wait_ms": wait_ms}
        calls.tell(session_id, leg.number, name, "transferred", at_ms, **told)


def terminated(calls: Calls, fields: Fields, session_id: str, leg: Leg) -> None:
    """The end of a leg that an agent had, or had picked up for."""
    at_ms, name = time_ms(fields), f"{leg.number}-end"
    if leg.bridged_ms is None and not leg.not_bridged:
        since_ms = seconds_ms(fields, "CC-Agent-Answered-Time")  # the joining was not seen
        if since_ms is not None and since_ms < at_ms - at_ms % 1000:
            answered(calls, session_id, leg, fields.get("CC-Agent", ""), since_ms)
    if leg.bridged_ms is None:
        told = {"place": "ring", "by": "customer"}
        calls.tell(session_id, leg.number, name, "abandoned", at_ms, **told)
        return
    accepted(calls, session_id, leg)
    wait_ms = max(leg.bridged_ms - (leg.entered_ms or leg.bridged_ms), 0)
    if leg.held:
        resume(calls, session_id, leg, at_ms)
    calls.tell(session_id, leg.number, name, "resolved", at_ms, outcome="unknown", wait_ms=wait_ms)


def hold(calls: Calls, fields: Fields) -> None:
    """CHANNEL_HOLD and CHANNEL_UNHOLD of an agent's channel."""
    found = calls.state.agents.get(fields.get("Unique-ID", ""))
    session = calls.state.sessions.get(found[0]) if found else None
    leg = session.legs.get(found[1]) if session and found else None
    if not found or leg is None or (leg.unbridged_ms is not None and time_ms(fields) > leg.unbridged_ms):
        return
    if fields["Event-Name"] == "CHANNEL_HOLD" and not leg.held:
        leg.held, leg.holds = True, leg.holds + 1
        name = f"{leg.number}-held-{leg.holds}"
        calls.tell(found[0], leg.number, name, "held", time_ms(fields), hold_no=leg.holds)
    elif fields["Event-Name"] == "CHANNEL_UNHOLD" and leg.held:
        resume(calls, found[0], leg, time_ms(fields))


def resume(calls: Calls, session_id: str, leg: Leg, at_ms: int) -> None:
    """The caller is back from the hold, or the conversation is over."""
    leg.held = False
    name = f"{leg.number}-resumed-{leg.holds}"
    calls.tell(session_id, leg.number, name, "resumed", at_ms, hold_no=leg.holds)


HANDLERS: dict[str, Callable[[Calls, Fields], None]] = {
    "member-queue-start": queue_start,
    "member-queue-resume": queue_start,
    "agent-offering": offering,
    "bridge-agent-fail": fail,
    "bridge-agent-start": bridge_start,
    "bridge-agent-end": bridge_end,
    "member-queue-end": queue_end,
}
