"""Responses of Typeform: answers by the ref of their field, scales in the definition of the form."""

from collections.abc import Iterable, Sequence
from functools import partial

from adapters.kit.payload_fields import ident, moment, need, objects, part, text, whole
from adapters.kit.payloads import (
    Ignored,
    Payload,
    PayloadAdapter,
    Told,
    customers_in,
    read_payloads,
    unknown_kind,
)
from adapters.kit.surveys import answer_or_refused, kind_of, survey

SCORES = ("number", "boolean")


def is_mine(payload: Payload) -> bool:
    """Has it the form of a webhook of Typeform?"""
    return "event_type" in payload and ("form_response" in payload or "form_id" in payload)


def scale_of(field: Payload) -> tuple[int | None, int | None]:
    """The scale of a field, as the form defines it; None where it does not say it."""
    kind, properties = text(field, "type"), part(field, "properties")
    steps = whole(properties, "steps")
    if kind in ("yes_no", "legal"):
        return 0, 1
    if kind == "nps":
        return 0, 10
    if steps is None:
        return None, None
    low = 1 if kind == "rating" or properties.get("start_at_one") else 0
    return low, low + steps - 1


def to_events(payload: Payload, secret: bytes) -> Sequence[Told]:
    """The events of a payload. Raises InvalidInput, Ignored."""
    if payload["event_type"] != "form_response":
        raise Ignored("no_fact") if payload["event_type"] == "form_response_partial" else unknown_kind()
    response = part(payload, "form_response")
    token = need(ident(response, "token"), "form_response.token")
    at = need(moment(response, "submitted_at"), "form_response.submitted_at")
    contact = ident(part(response, "hidden"), "contact_id")
    fields = {text(each, "ref"): each for each in objects(part(response, "definition"), "fields")}
    found: list[Told] = []
    for number, answer in enumerate(objects(response, "answers")):
        asked = part(answer, "field")
        ref = text(asked, "ref")
        kind = "nps" if text(asked, "type") == "nps" else kind_of(ref)
        given = next((answer[name] for name in SCORES if name in answer), None)
        told = survey(kind, given, *scale_of(fields.get(ref) or asked)) if kind else None
        if told is not None:
            found.append(answer_or_refused(number, "typeform", token, contact, at, told))
    if not found:
        raise Ignored("no_score")
    return found


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload."""
    for answer in objects(part(payload, "form_response"), "answers"):
        yield from (answer.get(name) for name in ("email", "phone_number"))
    hidden = part(part(payload, "form_response"), "hidden")
    yield from (hidden.get(name) for name in ("email", "phone"))


ADAPTER = PayloadAdapter(is_mine, to_events, customers)
read = partial(read_payloads, ADAPTER)
customers_of = partial(customers_in, ADAPTER)
