"""SurveyMonkey: its webhooks say only that there is a response; its API gives the response, read here too."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from adapters.kit.payload_fields import ident, moment, need, objects, part, text
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

NAMELESS = ("survey_", "collector_", "app_")


def is_mine(payload: Payload) -> bool:
    """Has it the form of a webhook, or of a response with its answers?"""
    return ("object_type" in payload and "event_datetime" in payload) or (
        "pages" in payload and "survey_id" in payload
    )


def scores(response: Payload) -> Iterator[dict[str, Any]]:
    """Answers to the questions whose kind is known: the weight of the choice, else the text."""
    for page in objects(response, "pages"):
        for question in objects(page, "questions"):
            kind = kind_of(ident(question, "id"), text(question, "variable_name"))
            for answer in objects(question, "answers")[:1] if kind else ():
                weight = part(answer, "choice_metadata").get("weight")
                fields = survey(kind or "", answer.get("text") if weight is None else weight)
                if fields is not None:
                    yield fields


def to_events(payload: Payload, secret: bytes) -> Sequence[Told]:
    """The events of a payload. Raises InvalidInput, Ignored."""
    if "pages" not in payload:
        kind = text(payload, "event_type") or ""
        if kind.startswith("response_"):
            raise Ignored("to_be_fetched")
        raise Ignored("no_fact") if kind.startswith(NAMELESS) else unknown_kind()
    at = need(moment(payload, "date_modified") or moment(payload, "date_created"), "date_modified")
    contact = ident(part(payload, "custom_variables"), "contact_id")
    name = need(ident(payload, "id"), "id")
    found = [
        answer_or_refused(number, "surveymonkey", name, contact, at, fields)
        for number, fields in enumerate(scores(payload))
    ]
    if not found:
        raise Ignored("no_score")
    return found


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload."""
    person = payload.get("metadata") or {}
    contact = person.get("contact") or {}
    return [(contact.get(name) or {}).get("value") for name in ("email", "first_name", "last_name")]


ADAPTER = PayloadAdapter(is_mine, to_events, customers)
read = partial(read_payloads, ADAPTER)
customers_of = partial(customers_in, ADAPTER)
