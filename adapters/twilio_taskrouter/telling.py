"""The events of a task, from all that is known of it."""

from collections.abc import Iterator
from typing import Any

from adapters.kit.journeys import Facts
from adapters.kit.payload_events import Contact
from adapters.twilio_taskrouter.task import FLOWED, Leg, Value, first_after, legs_of, of_kind
from schemas.events import Event

SOURCE = "twilio_taskrouter"
CHANNELS = {"voice": "voice", "chat": "chat", "sms": "messaging", "email": "email", "whatsapp": "messaging"}
OFFERS = {
    "reservation.rejected": "refused",
    "reservation.timeout": "timed_out",
    "reservation.rescinded": "withdrawn",
    "reservation.canceled": "withdrawn",
    "reservation.failed": "missed",
    "reservation.accepted": "answered",
}
TOLD_WITHIN_MS = 5_000  # that a transfer is complete is told a little after the other worker accepted
BY_SYSTEM = ("timeout", "workflow", "expired", "ttl", "no match")
Ended = tuple[str, int, dict[str, Any]]


def tell(task: str, facts: Facts) -> list[Event]:
    """All events of a task. Raises InvalidInput."""
    named = sorted(str(value["channel"]) for value in facts.values() if value.get("channel"))
    channel = CHANNELS.get(named[0], "voice") if named else "voice"
    contact, legs = Contact(f"twilio-{task}", SOURCE, channel), legs_of(facts)
    found = [*started(contact, facts)]
    for number, leg in enumerate(legs, 1):
        found += of_leg(contact, facts, leg, number, legs[number] if number < len(legs) else None)
    found += offers(contact, facts, legs)
    if not legs:
        found += cancelled(contact, facts)
    return found


def started(contact: Contact, facts: Facts) -> Iterator[Event]:
    """The task was created."""
    created = first_after(of_kind(facts, "task.created"), 0)
    if created is None:
        return
    key = next(
        (
            value["customer"]
            for value in of_kind(facts, "task.created", "task-queue.entered")
            if value.get("customer")
        ),
        None,
    )
    direction = "outbound" if created.get("outbound") else "inbound"
    yield contact.event("contact_started", created["at"], "started", customer_key=key, direction=direction)


def of_leg(contact: Contact, facts: Facts, leg: Leg, number: int, after: Leg | None) -> Iterator[Event]:
    """The events of one leg."""

    def event(type_: str, at: int, name: str, **fields: Any) -> Event:
        return contact.event(f"contact_{type_}", at, name, leg=number, **fields)

    if leg.entered is not None:
        name = f"{leg.queue}-{leg.begins}"
        yield event("queued", leg.begins, f"{name}-queued", queue=leg.queue or "unknown")
    if leg.accepted is None:
        end = unanswered(facts, leg, after)
        if end is not None:
            yield event(end[0], end[1], f"{leg.queue}-{leg.begins}-end", **end[2])
        return
    taken = leg.accepted
    name, agent = str(taken.get("reservation") or taken["at"]), taken.get("worker")
    yield event("answered", taken["at"], f"{name}-answered", agent=agent, queue=taken.get("queue"))
    end = answered_end(facts, leg, after)
    if end is None:
        return
    yield event(end[0], end[1], f"{name}-end", **end[2])
    done = step(facts, leg, after, "reservation.completed") or step(facts, leg, after, "task.completed")
    if done is not None and done["at"] > end[1]:
        yield event("wrapped", done["at"], f"{name}-wrapped", agent=agent)


def step(facts: Facts, leg: Leg, after: Leg | None, kind: str) -> Value | None:
    """A step of a leg's own reservation; of a task, one that belongs to its last leg."""
    taken = leg.accepted or {"at": 0}
    if kind.startswith("task."):
        return first_after(of_kind(facts, kind), taken["at"]) if after is None else None
    steps = of_kind(facts, kind)
    own = [each for each in steps if each.get("reservation") == taken.get("reservation")]
    return first_after(own, taken["at"])


def answered_end(facts: Facts, leg: Leg, after: Leg | None) -> Ended | None:
    """The end of a worker's part: a transfer that was completed, the wrap-up, a task that was cancelled."""
    taken = leg.accepted or {"at": 0}
    wrapup, done = (
        step(facts, leg, after, "reservation.wrapup"),
        step(facts, leg, after, "reservation.completed"),
    )
    wrapup = wrapup or step(facts, leg, after, "task.wrapup")
    done = done or step(facts, leg, after, "task.completed")
    last = wrapup or done
    until = after.accepted["at"] if after is not None and after.accepted else None
    told_until = None if until is None else until + TOLD_WITHIN_MS
    passed = (
        first_after(of_kind(facts, "task.transfer-completed"), taken["at"], told_until) if after else None
    )
    asked = first_after(of_kind(facts, "task.transfer-initiated"), taken["at"], until) or {}
    if after is not None and (passed is not None or after.entered is not None or asked):
        warm = "WARM" in (str(asked.get("mode", "")).upper(), str((passed or {}).get("mode", "")).upper())
        stays = [each for each in (last, passed) if each] if warm else []
        at = min(each["at"] for each in stays or (passed, last, after.accepted, after.entered) if each)
        fields = {"kind": "warm" if warm else "cold", "to_queue": after.queue if after.entered else None}
        return "transferred", at, fields
    cancelled = first_after(of_kind(facts, "task.canceled"), taken["at"]) if after is None else None
    if cancelled is not None and (last is None or cancelled["at"] < last["at"]):
        return "resolved", cancelled["at"], {"outcome": "unknown", "by": by_whom(facts, cancelled)}
    if last is not None:
        return "resolved", last["at"], {"outcome": "unknown", "by": "agent"}
    return deleted(facts, taken["at"]) if after is None else None


def unanswered(facts: Facts, leg: Leg, after: Leg | None) -> Ended | None:
    """The end of a wait that nobody ended: it flowed on, or the task was cancelled."""
    moved = first_after(of_kind(facts, *FLOWED), leg.begins, after.begins + 1 if after else None)
    if after is not None:
        at = moved["at"] if moved else after.begins
        return "transferred", at, {"kind": "queue_flow", "to_queue": after.queue or None}
    cancelled = first_after(of_kind(facts, "task.canceled"), leg.begins)
    if cancelled is not None:
        return "abandoned", cancelled["at"], {"place": "queue", "by": by_whom(facts, cancelled)}
    out = first_after(of_kind(facts, "workflow.timeout", "workflow.skipped"), leg.begins)
    return ("abandoned", out["at"], {"place": "queue", "by": "system"}) if out else deleted(facts, leg.begins)


def deleted(facts: Facts, at: int) -> Ended | None:
    """A task that a program deleted is over, and nobody knows how."""
    gone = first_after(of_kind(facts, "task.deleted"), at)
    return ("resolved", gone["at"], {"outcome": "unknown", "by": "system"}) if gone else None


def cancelled(contact: Contact, facts: Facts) -> Iterator[Event]:
    """A task that was cancelled before any queue or worker is known."""
    ended = first_after(of_kind(facts, "task.canceled"), 0)
    if ended is not None:
        by = by_whom(facts, ended)
        yield contact.event("contact_abandoned", ended["at"], "cancelled", place="ivr", by=by)


def by_whom(facts: Facts, cancelled: Value) -> str:
    """Who cancelled: the workflow, when it gave up, or the customer."""
    reason = str(cancelled.get("reason") or "").lower()
    gave_up = any(value["at"] <= cancelled["at"] + 1_000 for value in of_kind(facts, "workflow.timeout"))
    return "system" if gave_up or any(word in reason for word in BY_SYSTEM) else "customer"


def offers(contact: Contact, facts: Facts, legs: list[Leg]) -> Iterator[Event]:
    """Reservations that are over: what became of each offer."""
    begun = {value.get("reservation"): value["at"] for value in of_kind(facts, "reservation.created")}
    over = set()  # what was accepted may be cancelled later, and was answered
    for value in of_kind(facts, *OFFERS):
        reservation = value.get("reservation") or value["at"]
        if not value.get("worker") or reservation in over:
            continue
        over.add(reservation)
        number = sum(leg.begins <= value["at"] for leg in legs) or 1
        since = begun.get(value.get("reservation"))
        ring_ms = value["at"] - since if since is not None and since <= value["at"] else None
        told = {"agent": value["worker"], "outcome": OFFERS[value["kind"]], "ring_ms": ring_ms}
        name = f"{reservation}-offered"
        yield contact.event("contact_offered", value["at"], name, leg=number, **told)
