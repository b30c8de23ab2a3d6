"""The events of a conversation, from all that is known of it."""

from collections.abc import Iterator
from typing import Any

from adapters.genesys.conversation import TRANSFERS, Leg, Value, is_transfer, legs_of, of_topic
from adapters.genesys.fields import CHANNELS, SYSTEM_CODES
from adapters.kit.journeys import Facts
from adapters.kit.payload_events import Contact
from schemas.events import Event

SOURCE = "genesys"
# Seen from the agent: the other side hung up, or he did.
BY_AGENTS_END = {"PEER": "customer", "CLIENT": "agent", "ENDPOINT": "agent"}
CUSTOMERS_END = ("PEER", "ENDPOINT", "CLIENT", "")
VOICEMAIL_WITHIN_MS = 10_000
WRITTEN = ("messaging", "email")


def tell(conversation: str, facts: Facts) -> list[Event]:
    """All events of a conversation. Raises InvalidInput."""
    legs = legs_of(facts)
    medias = [CHANNELS.get(value.get("media", "")) for value in facts.values()]
    channel = next((media for media in sorted(filter(None, medias), key=str) if media), "voice")
    contact = Contact(f"genesys-{conversation}", SOURCE, channel)
    found = [*started(contact, facts)]
    for number, leg in enumerate(legs, 1):
        after = legs[number] if number < len(legs) else None
        before = legs[number - 2] if number > 1 else None
        found += of_leg(contact, facts, leg, number, before, after)
    return [*found, *gone(contact, facts, legs)]


def started(contact: Contact, facts: Facts) -> Iterator[Event]:
    """How the conversation began: the customer's session, else the record's own time."""
    known = of_topic(facts, "customer.start")
    begin = next(iter(known or of_topic(facts, "conversation")), None)
    if begin is None:
        return
    outbound = begin.get("direction") == "OUTBOUND"
    key = next((value["customer"] for value in known if value.get("customer")), None)
    direction = "outbound" if outbound else "inbound"
    yield contact.event("contact_started", begin["at"], "started", customer_key=key, direction=direction)


def of_leg(
    contact: Contact, facts: Facts, leg: Leg, number: int, before: Leg | None, after: Leg | None
) -> Iterator[Event]:
    """The events of one leg."""

    def event(type_: str, at: int, name: str, **fields: Any) -> Event:
        return contact.event(f"contact_{type_}", at, name, leg=number, **fields)

    if before is not None and contact.channel in WRITTEN and before.agent and not is_transfer(before.agent):
        yield event("reopened", leg.begins, f"{leg.name}-reopened")
    if leg.wait_start is not None:
        yield event("queued", leg.wait_start, f"{leg.name}-queued", queue=leg.queue or "unknown")
    for part in leg.offers:
        yield event("offered", part["at"], **offer(part, "missed"))
    if leg.answered is not None and (leg.user or leg.agent):
        at, queue = leg.answered, leg.queue or None
        yield event("answered", at, f"{leg.taken}-answered", agent=leg.user or None, queue=queue)
        if leg.agent and leg.user and leg.agent.get("alert_ms"):
            yield event("offered", at, **offer(leg.agent, "answered"))
    if contact.channel == "voice":
        for hold_no, (start, until) in enumerate((leg.agent or {}).get("holds", ()), 1):
            yield event("held", start, f"{leg.taken}-held-{start}", hold_no=hold_no)
            yield event("resumed", until, f"{leg.taken}-resumed-{start}", hold_no=hold_no)
    end = end_of(contact, facts, leg, after)
    if end is not None:
        yield event(end[0], end[1], f"{leg.taken if leg.agent else leg.name}-end", **end[2])
    if leg.wrap is not None:
        yield event("wrapped", leg.wrap["at"], f"{leg.taken}-wrapped", agent=leg.user or None)


def offer(part: Value, outcome: str) -> dict[str, Any]:
    """Name and fields of an offer to an agent."""
    name = f"{part.get('participant') or part['session']}-offered"
    more = {"agent": part.get("user", "unknown"), "ring_ms": part.get("alert_ms")}
    return {"name": name, "outcome": outcome} | more


def customers_end(facts: Facts) -> Value | None:
    """The last thing that is known of the customer: that he is gone."""
    return next(reversed(of_topic(facts, "customer.end")), None)


def end_of(
    contact: Contact, facts: Facts, leg: Leg, after: Leg | None
) -> tuple[str, int, dict[str, Any]] | None:
    """Type, time and fields of the end of a leg; None while it goes on."""
    to_queue = after.queue or None if after is not None else None
    if leg.agent is not None:
        part, measured = leg.agent, measures(contact, leg)
        if is_transfer(part):
            gone_at = (customers_end(facts) or {"at": part["at"]})["at"]
            outside = after is None and gone_at > part["at"]  # to nobody whom Genesys knows
            kind = "external" if outside else TRANSFERS[part["disconnect"]]
            return "transferred", part["at"], {"kind": kind, "to_queue": to_queue} | measured
        by = BY_AGENTS_END.get(part.get("disconnect", ""), "system")
        code = (leg.wrap or {}).get("code")
        reason = None if code in SYSTEM_CODES else code
        return "resolved", part["at"], {"outcome": "unknown", "by": by, "reason": reason} | measured
    if leg.wait_end is None:
        left = None if leg.wait_start is not None else customers_end(facts)
        return ("abandoned", left["at"], {"place": "ring", "by": "customer"}) if left else None
    at, outcome = leg.wait_end["at"], leg.wait_end.get("outcome", "")
    if outcome == "FLOW_OUT":
        mailbox = any(
            -1_000 <= value["at"] - at <= VOICEMAIL_WITHIN_MS for value in of_topic(facts, "voicemail.start")
        )
        return "transferred", at, {"kind": "voicemail" if mailbox else "queue_flow", "to_queue": to_queue}
    if outcome == "ABANDON":
        by = "customer" if leg.wait_end.get("disconnect", "") in CUSTOMERS_END else "system"
        return "abandoned", at, {"place": "queue", "by": by}
    return None


def measures(contact: Contact, leg: Leg) -> dict[str, Any]:
    """What Genesys measured of an agent's part. What it calls held in a message is no hold."""
    part = leg.agent or {}
    found = {"talk_ms": part.get("talk_ms"), "acw_ms": (leg.wrap or {}).get("acw_ms")}
    if contact.channel == "voice" and not part.get("holds"):
        found["hold_ms"] = part.get("hold_ms")
    return found


def gone(contact: Contact, facts: Facts, legs: list[Leg]) -> Iterator[Event]:
    """The customer's end. Where neither a queue nor an agent is known, it ended in the flow."""
    last = customers_end(facts)
    if last is None:
        return
    if legs or last.get("direction") == "OUTBOUND":
        yield contact.event("contact_closed", last["at"], "gone", by="customer")
    elif last.get("disconnect", "") in ("ENDPOINT", "CLIENT"):
        yield contact.event("contact_abandoned", last["at"], "gone", place="ivr", by="customer")
    else:
        yield contact.event("contact_resolved", last["at"], "gone", outcome="unknown", by="system")
