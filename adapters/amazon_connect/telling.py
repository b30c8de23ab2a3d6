"""The events of a journey, from all that is known of it."""

from collections.abc import Iterator
from typing import Any

from adapters.amazon_connect.chain import CALLBACK, OUTBOUND, Chain, Part, chains_of, owner_of
from adapters.amazon_connect.ends import end_of
from adapters.kit.journeys import Facts
from adapters.kit.payload_events import Contact
from adapters.kit.surveys import survey
from schemas.events import Event

SOURCE = "amazon_connect"
FOREVER = 2**62


def contact_id(name: str) -> str:
    """Our id of a contact of Connect's."""
    return f"connect-{name}"


def tell(root: str, facts: Facts) -> list[Event]:
    """All events of a journey. Raises InvalidInput."""
    found: list[Event] = []
    for chain in chains_of(root, facts):
        legs = chain.legs()
        channel = next((leg.text("channel") for leg in legs if leg.text("channel")), "voice")
        contact = Contact(contact_id(chain.first), SOURCE, channel)
        found += started(contact, chain, legs[0], root)
        for number, leg in enumerate(legs, 1):
            found += of_leg(contact, chain, leg, number)
    return found


def started(contact: Contact, chain: Chain, first: Part, root: str) -> Iterator[Event]:
    """How the contact began."""
    method, at = first.text("method"), first.at("initiated")
    if first.name not in chain.parts or at is None:
        return
    before = first.text("previous") if method == CALLBACK else ""
    more: dict[str, Any] = {"customer_key": first.said.get("customer")}
    if method in (*OUTBOUND, CALLBACK):
        more["direction"] = "outbound"
    elif contact.channel == "voice":
        more["entry"] = "ivr"  # every call goes through a flow
    if before or (method == CALLBACK and root != first.name):
        more["callback_of"] = contact_id(asked_by(chain, before, root))
    yield contact.event("contact_started", at, f"{first.name}-started", **more)


def asked_by(chain: Chain, name: str, root: str) -> str:
    """The contact that asked for a call back; a second attempt names the first, which asked for nothing."""
    owner = owner_of(name, root, chain.every)
    seen: set[str] = set()
    while owner in chain.every and chain.every[owner].text("method") == CALLBACK and owner not in seen:
        seen.add(owner)
        owner = owner_of(chain.every[owner].text("previous"), root, chain.every)
    return owner


def of_leg(contact: Contact, chain: Chain, leg: Part, number: int) -> Iterator[Event]:
    """The events of one leg."""

    def event(type_: str, at: int, name: str, **fields: Any) -> Event:
        return contact.event(f"contact_{type_}", at, f"{leg.name}-{name}", leg=number, **fields)

    agent, queue = leg.said.get("agent"), leg.said.get("queue")
    queued, answered, wrapped = leg.at("queued"), leg.at("answered"), leg.at("wrapped")
    if queued is not None:
        yield event("queued", queued, "queued", queue=queue or "unknown")
    for offer in leg.offers:
        told = {name: value for name, value in offer.items() if name != "at"}
        yield event("offered", offer["at"], f"offered-{offer['agent']}-{offer['at']}", **told)
    if answered is not None:
        key = leg.said.get("customer")
        yield event("answered", answered, "answered", agent=agent, queue=queue, customer_key=key)
    first_reply = leg.at("first_response")
    if first_reply is not None:
        yield event("replied", first_reply, "replied", by="agent", agent=agent)
    yield from holds(event, leg)
    end = end_of(chain, leg)
    if end is not None:
        yield event(end.type, end.at, "end", **end.fields)
    if wrapped is not None:
        yield event("wrapped", wrapped, "wrapped", agent=agent)
    for kind, score in sorted((leg.said.get("surveys") or {}).items()):
        fields = survey(kind, score)
        if fields and leg.at("updated"):
            yield event("surveyed", leg.said["updated"], kind, **fields)


def holds(event: Any, leg: Part) -> Iterator[Event]:
    """Each hold with the return from it: the first one before the next hold."""
    held = sorted(leg.held)
    for number, (start, following) in enumerate(zip(held, [*held[1:], FOREVER], strict=False), 1):
        yield event("held", start, f"held-{start}", hold_no=number)
        back = min((at for at in leg.resumed if start <= at < following), default=None)
        if back is not None:
            yield event("resumed", back, f"resumed-{start}", hold_no=number)
