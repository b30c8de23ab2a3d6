"""Qualtrics: its events say only that there is a response; its API gives the response, read here too."""

from collections.abc import Iterable, Sequence
from functools import partial

from adapters.kit.json_values import json_object, json_value
from adapters.kit.outcomes import InvalidInput
from adapters.kit.payload_fields import ident, moment, need, part, text
from adapters.kit.payloads import (
    Ignored,
    Payload,
    PayloadAdapter,
    Told,
    customers_in,
    posted,
    read_payloads,
    unknown_kind,
)
from adapters.kit.surveys import answer_or_refused, kind_of, survey

FIELDS_MAX = 50


def parse(body: bytes) -> list[Payload | InvalidInput]:
    """The payloads of a body: JSON, or a form with a JSON text in the field MSG. Raises InvalidInput."""
    return posted(body, of_form, FIELDS_MAX)


def of_form(form: list[tuple[str, str]]) -> Payload:
    """The payload in a form. Raises InvalidInput."""
    fields = dict(form)
    said = json_object(json_value(fields["MSG"].encode())) if fields.get("MSG") else {}
    return {"Topic": fields.get("Topic"), "MSG": said}


def is_mine(payload: Payload) -> bool:
    """Has it the form of an event, or of a response with its values?"""
    result = payload.get("result")
    return isinstance(payload.get("Topic"), str) or (isinstance(result, dict) and "responseId" in result)


def to_events(payload: Payload, secret: bytes) -> Sequence[Told]:
    """The events of a payload. Raises InvalidInput, Ignored."""
    if "Topic" in payload:
        topic = text(payload, "Topic") or ""
        if "completedResponse" in topic or "partialResponse" in topic:
            raise Ignored("to_be_fetched")
        raise unknown_kind()
    result = part(payload, "result")
    values = part(result, "values")
    at = need(moment(values, "recordedDate") or moment(values, "endDate"), "values.recordedDate")
    name, contact = need(ident(result, "responseId"), "responseId"), ident(values, "contact_id")
    found: list[Told] = []
    for number, (question, given) in enumerate(values.items()):
        kind = kind_of(question)
        fields = survey(kind, given) if kind else None
        if fields is not None:
            found.append(answer_or_refused(number, "qualtrics", name, contact, at, fields))
    if not found:
        raise Ignored("no_score")
    return found


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload."""
    values = (payload.get("result") or {}).get("values") or {}
    return [values.get(name) for name in ("recipientEmail", "recipientFirstName", "externalDataReference")]


ADAPTER = PayloadAdapter(is_mine, to_events, customers, parse)
read = partial(read_payloads, ADAPTER)
customers_of = partial(customers_in, ADAPTER)
