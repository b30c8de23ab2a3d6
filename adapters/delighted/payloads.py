"""Responses of Delighted: told at the score, again at the comment, again when it is changed."""

from collections.abc import Iterable, Sequence
from functools import partial

from adapters.kit.payload_fields import ident, moment, need, part, text
from adapters.kit.payloads import Ignored, Payload, PayloadAdapter, customers_in, read_payloads, unknown_kind
from adapters.kit.surveys import answered, survey
from schemas.events import Event

RESPONSES = ("survey_response.created", "survey_response.updated")
TYPES = {
    "nps": ("nps", 0, 10),
    "csat": ("csat", 1, 5),
    "csat3": ("csat", 1, 3),
    "ces": ("ces", 1, 5),
    "ces7": ("ces", 1, 7),
    "5star": ("csat", 1, 5),
    "fivestar": ("csat", 1, 5),
    "smileys": ("csat", 1, 5),
    "thumbs": ("csat", 0, 1),
}


def is_mine(payload: Payload) -> bool:
    """Has it the form of an event of Delighted?"""
    kind = payload.get("event_type")
    return isinstance(kind, str) and "event_data" in payload and "event_id" in payload


def to_events(payload: Payload, secret: bytes) -> Sequence[Event]:
    """The events of a payload. Raises InvalidInput, Ignored."""
    kind = payload["event_type"]
    if kind not in RESPONSES:
        if kind.startswith(("unsubscribe", "bounce", "person")):
            raise Ignored("no_fact")
        raise unknown_kind()
    data = part(payload, "event_data")
    measure = TYPES.get(text(data, "survey_type") or "nps")
    fields = survey(measure[0], data.get("score"), *measure[1:]) if measure else None
    if fields is None:
        raise Ignored("no_score")
    at = need(moment(data, "updated_at") or moment(data, "created_at"), "event_data.updated_at")
    contact = ident(part(data, "person_properties"), "contact_id")
    return [answered("delighted", need(ident(data, "id"), "event_data.id"), contact, at, fields)]


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload."""
    person = payload["event_data"].get("person") or {}
    return [person.get(name) for name in ("email", "phone_number", "name")]


ADAPTER = PayloadAdapter(is_mine, to_events, customers)
read = partial(read_payloads, ADAPTER)
customers_of = partial(customers_in, ADAPTER)
