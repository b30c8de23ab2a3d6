"""Responses of Formbricks, told while they are given: of one response the newest counts."""

from collections.abc import Iterable, Sequence
from functools import partial

from adapters.kit.journeys import Fact, Facts, JourneyAdapter, Said, parts_of, read_journeys
from adapters.kit.outcomes import InvalidInput
from adapters.kit.payload_fields import ident, moment, need, part
from adapters.kit.payloads import Ignored, Payload, customers_in, unknown_kind
from adapters.kit.surveys import answer_or_refused, answered, kind_of, survey
from schemas.events import Event

WORDS = {"Yes": 1, "No": 0, "yes": 1, "no": 0}
EVENTS = ("responseCreated", "responseUpdated", "responseFinished")


def is_mine(payload: Payload) -> bool:
    """Has it the form of a webhook of Formbricks?"""
    return "webhookId" in payload and "event" in payload


def contact_of(data: Payload) -> str | None:
    """The contact that was asked about: a hidden field, or an attribute of the person."""
    attributes = part(data, "contactAttributes")
    hidden = ident(part(data, "data"), "contact_id")
    return hidden or ident(attributes, "contact_id") or ident(attributes, "userId")


def facts_of(payload: Payload, secret: bytes) -> Sequence[Said]:
    """What a payload says of its response. Raises InvalidInput, Ignored."""
    if payload["event"] not in EVENTS:
        raise Ignored("no_fact") if payload["event"] == "testEndpoint" else unknown_kind()
    data = part(payload, "data")
    response = need(ident(data, "id"), "data.id")
    at = need(moment(data, "updatedAt") or moment(data, "createdAt"), "data.updatedAt")
    contact = contact_of(data)
    found: list[Said] = []
    for number, (question, given) in enumerate(part(data, "data").items()):
        kind = kind_of(question)
        score = WORDS.get(given, given) if isinstance(given, str) else given
        fields = survey(kind, score) if kind else None
        if fields is not None:
            told = answer_or_refused(number, "formbricks", response, contact, at, fields)
            fact = Fact(response, f"answer|{kind}", {"at": at} | fields, at)
            found.append(told if isinstance(told, InvalidInput) else fact)
    if not found and contact is None:
        raise Ignored("no_score")
    return [*found, *([Fact(response, "contact", {"contact": contact}, at)] if contact else [])]


def tell(response: str, facts: Facts) -> list[Event]:
    """The answers of a response, of the contact that any of its payloads names."""
    contact = facts["contact"]["contact"] if "contact" in facts else None
    told = []
    for name in sorted(facts):
        if name.startswith("answer|"):
            fields = dict(facts[name])
            told.append(answered("formbricks", response, contact, fields.pop("at"), fields))
    return told


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload."""
    attributes = payload["data"].get("contactAttributes") or {}
    return [attributes.get(name) for name in ("email", "phone")]


JOURNEYS = JourneyAdapter(is_mine, facts_of, tell, customers)
ADAPTER = JOURNEYS.remembering(posted=True)
read = partial(read_journeys, JOURNEYS)
files = parts_of(JOURNEYS)
customers_of = partial(customers_in, ADAPTER)
