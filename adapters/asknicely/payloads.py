"""Responses of AskNicely, all of whose values are texts. One that is empty is no answer, and no 0."""

from collections.abc import Iterable, Sequence
from functools import partial

from adapters.kit.outcomes import InvalidInput
from adapters.kit.payload_fields import ident, moment, need, text
from adapters.kit.payloads import (
    Ignored,
    Payload,
    PayloadAdapter,
    customers_in,
    objects_or_refused,
    payloads_in,
    read_payloads,
)
from adapters.kit.surveys import answered, kind_of, survey
from schemas.events import Event

DIGITS_MAX = 16


def parse(body: bytes) -> list[Payload | InvalidInput]:
    """The rows of a body: a list under `data`, or rows by themselves. Raises InvalidInput."""
    found: list[Payload | InvalidInput] = []
    for payload in payloads_in(body):
        rows = None if isinstance(payload, InvalidInput) else payload.get("data")
        found += objects_or_refused(rows) if isinstance(rows, list) else [payload]
    return found


def is_mine(payload: Payload) -> bool:
    """Has it the form of a response of AskNicely?"""
    return "response_id" in payload and "answer" in payload


def seconds_of(value: object) -> object:
    """A time in seconds that is given as a text of digits, as a number; anything else as it is."""
    digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < DIGITS_MAX
    return int(value) if digits and isinstance(value, str) else value


def to_events(payload: Payload, secret: bytes) -> Sequence[Event]:
    """The events of a row. Raises InvalidInput, Ignored."""
    kind = kind_of(text(payload, "survey_template")) or "nps"
    fields = survey(kind, payload.get("answer"))
    if fields is None:
        raise Ignored("no_score")
    at = need(moment({"responded": seconds_of(payload.get("responded"))}, "responded"), "responded")
    contact = ident(payload, "contact_id_c") or ident(payload, "contact_id")
    return [answered("asknicely", need(ident(payload, "response_id"), "response_id"), contact, at, fields)]


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a row."""
    return [payload.get(name) for name in ("email", "phone", "mobile_number", "name")]


ADAPTER = PayloadAdapter(is_mine, to_events, customers, parse)
read = partial(read_payloads, ADAPTER)
customers_of = partial(customers_in, ADAPTER)
