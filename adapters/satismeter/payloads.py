"""Responses of Satismeter: several metrics in one. Its `score` is part of the NPS, not the answer."""

from collections.abc import Iterable, Sequence
from functools import partial

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
from adapters.kit.surveys import SCALES, answer_or_refused, survey


def is_mine(payload: Payload) -> bool:
    """Has it the form of a webhook of Satismeter?"""
    return isinstance(payload.get("response"), dict) and "campaign" in payload


def contact_of(response: Payload) -> str | None:
    """The contact that was asked about: a trait of the user."""
    user = part(response, "user")
    return ident(user, "contact_id") or ident(part(response, "traits"), "contact_id")


def to_events(payload: Payload, secret: bytes) -> Sequence[Told]:
    """The events of a payload. Raises InvalidInput, Ignored."""
    if payload.get("event") not in ("completed", "updated", None):
        raise Ignored("no_fact") if payload["event"] in ("dismissed", "pending") else unknown_kind()
    response = part(payload, "response")
    name, at = (
        need(ident(response, "id"), "response.id"),
        need(moment(response, "created"), "response.created"),
    )
    revision = moment(response, "updated") or at
    found: list[Told] = []
    for number, answer in enumerate(objects(response, "answers")):
        kind = text(answer, "metric") or ""
        fields = survey(kind, answer.get("value")) if kind in SCALES else None
        if fields is not None:
            told = answer_or_refused(number, "satismeter", name, contact_of(response), at, fields, revision)
            found.append(told)
    if not found:
        raise Ignored("no_score")
    return found


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload."""
    user = payload["response"].get("user") or {}
    return [user.get(name) for name in ("email", "userId", "name")]


ADAPTER = PayloadAdapter(is_mine, to_events, customers)
read = partial(read_payloads, ADAPTER)
customers_of = partial(customers_in, ADAPTER)
