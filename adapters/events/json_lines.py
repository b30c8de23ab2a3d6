"""Canonical events as JSON lines: one object per line, "type" and the fields of schemas/events.py.

`occurred_at` is integer milliseconds or ISO 8601 with an offset. `customer_id` (a raw identifier) may stand
in place of `customer_key`; it is hashed here and goes no further, not even into a dead letter.
"""

import re
from collections.abc import Iterator
from typing import Any

import orjson

from adapters.events.times import to_ms
from adapters.kit.json_values import json_object, json_value
from adapters.kit.lines import Line, LineFile
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, WrongFile, build, reject
from schemas.customer_key import NUMBER, customer_key
from schemas.events import MODELS, Event
from schemas.shape import quoted

# Fields that events have and payloads of other systems, which also have a type or a channel, have not.
OWN = frozenset(("contact_id", "occurred_at"))  # event_id is a field of many a webhook
OWN_TYPES = ("contact_", "agent_state", "source_heartbeat")
HASH_MIN = 24  # characters; telephone numbers are shorter, also with brackets and spaces
# A customer_id in a line that is no JSON, also one cut off inside its value.
CUSTOMER_ID = re.compile(rb'"customer_id"\s*:\s*(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^\s,}]*)', re.DOTALL)


def parse_object(line: bytes) -> dict[str, Any]:
    """The JSON object of a line. Raises InvalidInput."""
    return json_object(json_value(line))


def hashed(fields: dict[str, Any], secret: bytes) -> dict[str, Any]:
    """The fields with customer_key in place of customer_id. Raises InvalidInput."""
    if "customer_id" not in fields:
        if names_a_person(fields.get("customer_key")):
            raise InvalidInput(
                "invalid_event", "customer_key is no hash; give it as customer_id, to be hashed"
            )
        return fields
    identifier = fields["customer_id"]
    if "customer_key" in fields:
        raise InvalidInput("invalid_event", "customer_id and customer_key: give one of them")
    if isinstance(identifier, bool) or not isinstance(identifier, str | int | None):
        raise InvalidInput("invalid_event", f"customer_id is a {type(identifier).__name__}, expected a text")
    rest = {name: value for name, value in fields.items() if name != "customer_id"}
    key = None if identifier is None else customer_key(str(identifier), secret)
    return rest if key is None else rest | {"customer_key": key}


def names_a_person(key: object) -> bool:
    """Is what should be a hash a telephone number or an e-mail address?"""
    return isinstance(key, str) and ((len(key) < HASH_MIN and bool(NUMBER.fullmatch(key))) or "@" in key)


def parse_event(fields: dict[str, Any], secret: bytes) -> Event:
    """The event that an object describes. Raises InvalidInput."""
    type_ = fields.get("type")
    if type_ is None:
        raise InvalidInput("missing_type", f'no "type"; known are {", ".join(MODELS)}')
    if not isinstance(type_, str) or type_ not in MODELS:
        raise InvalidInput("unknown_type", f"type {quoted(str(type_))}; known are {', '.join(MODELS)}")
    fields = hashed(fields, secret)
    if "occurred_at" in fields:
        fields = fields | {"occurred_at": to_ms(fields["occurred_at"])}
    return build(type_, fields)


def customers_of(line: bytes) -> tuple[str, ...]:
    """Raw identifiers of customers in a line."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return ()
    identifier = fields.get("customer_id") if isinstance(fields, dict) else None
    return (str(identifier),) if isinstance(identifier, str | int) else ()


def without_customer(line: bytes) -> bytes:
    """The line without customer_id: a dead letter carries no customer identifier either."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        return CUSTOMER_ID.sub(b'"customer_id":null', line)
    if not isinstance(fields, dict) or "customer_id" not in fields:
        return line
    return orjson.dumps(fields | {"customer_id": None})


def read_line(file: LineFile, line: Line, secret: bytes) -> LineOutcome:
    """The event of one line, or why it has none."""
    try:
        line.require_readable()
        event = parse_event(parse_object(line.data), secret)
    except InvalidInput as refused:
        return reject(file.name, line.number, refused, without_customer(line.data), file.keep_payloads)
    return Accepted(line.number, (event,), file.bytes_read)


def check_first(file: LineFile, line: Line) -> None:
    """Is it a file of events at all? Raises WrongFile."""
    if not line.data.lstrip(b"\xef\xbb\xbf \t").startswith(b"{"):
        raise WrongFile(f"{file.name} is no file of JSON lines: its first line is no JSON object")
    try:
        fields = orjson.loads(line.data)
    except orjson.JSONDecodeError:
        return  # damaged: a dead letter says where
    ours = OWN & fields.keys() or str(fields.get("type", "")).startswith(OWN_TYPES)
    nested = any(isinstance(value, list | dict) for value in fields.values())
    if (len(fields) > 1 or nested) and not ours:
        raise WrongFile(
            f"{file.name} is no file of events: the object in its first line has no field of one. "
            "`ringback adapter list` shows the systems whose files can be read"
        )


def read_events(file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
    """Outcomes of open JSON lines, one per line that is not empty.

    Raises WrongFile where the first is no JSON object: of a file of another kind nothing is sent, not even as
    dead letters, since nobody could tell which part of it names a customer.
    """
    first = not file.begun
    for line in file:
        if line.data.strip() or line.problem:
            if first and not line.problem:
                check_first(file, line)
            first = False
            yield read_line(file, line, secret)
