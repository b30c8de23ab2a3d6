"""One event of FreeSWITCH as it comes: texts by name, in JSON or as `Name: value` lines."""

import re
from typing import Any
from urllib.parse import unquote

import orjson

from adapters.kit.json_values import json_object
from adapters.kit.outcomes import InvalidInput
from schemas.event_fields import OCCURRED_AT_MAX, OCCURRED_AT_MIN
from schemas.shape import quoted

Fields = dict[str, str]
MICROSECONDS = re.compile(r"\d{15,16}", re.ASCII)
SECONDS = re.compile(r"\d{9,10}", re.ASCII)
HEADER = re.compile(rb"[A-Za-z][\w.-]*: ?")
CUSTOMER_FIELDS = (
    "CC-Member-CID-Number",
    "CC-Member-CID-Name",
    "Caller-Caller-ID-Number",
    "Caller-Orig-Caller-ID-Number",
    "Caller-ANI",
    "variable_cc_member_cid_number",
    "Caller-Destination-Number",
)
CUSTOMER_JSON = re.compile(rb'"(?:' + "|".join(CUSTOMER_FIELDS).encode() + rb')"\s*:\s*"([^"]*)"')
CUSTOMER_PLAIN = re.compile(rb"(?:" + "|".join(CUSTOMER_FIELDS).encode() + rb"): ?([^\r\n]+)")


def decoded(value: object) -> str:
    """The text of a value: names are percent-encoded in the plain form, and in JSON of some versions."""
    text = value if isinstance(value, str) else str(value)
    return unquote(text, errors="replace") if "%" in text else text


def from_object(found: Any) -> Fields:
    """The fields of an event in JSON. Raises InvalidInput."""
    return {
        name: decoded(value) for name, value in json_object(found).items() if isinstance(value, str | int)
    }


def from_json(line: bytes) -> Fields:
    """The event of a line of JSON. On the socket the next header follows it without a line end."""
    end = line.rfind(b"}") + 1
    try:
        return from_object(orjson.loads(line[:end] if end else line))
    except orjson.JSONDecodeError as error:
        raise InvalidInput("invalid_json", str(error)) from None


def from_headers(lines: list[bytes]) -> Fields:
    """The event of a block of `Name: value` lines."""
    fields = {}
    for line in lines:
        name, found, value = line.partition(b":")
        if found:
            fields[name.decode("ascii", "replace").strip()] = decoded(
                value.decode("utf-8", "replace").strip()
            )
    return fields


def time_ms(fields: Fields) -> int:
    """When it happened, UTC milliseconds. Raises InvalidInput."""
    text = fields.get("Event-Date-Timestamp", "")
    found = int(text) // 1000 if MICROSECONDS.fullmatch(text) else 0
    if not OCCURRED_AT_MIN <= found < OCCURRED_AT_MAX:
        raise InvalidInput(
            "bad_time", f"Event-Date-Timestamp is {quoted(text)}, expected microseconds since 1970"
        )
    return found


def seconds_ms(fields: Fields, name: str) -> int | None:
    """A field of whole seconds as milliseconds; None where it is 0 or missing."""
    text = fields.get(name, "")
    return int(text) * 1000 if SECONDS.fullmatch(text) else None


def customers_of(line: bytes) -> tuple[str, ...]:
    """Raw identifiers of customers in a line."""
    found = [*CUSTOMER_JSON.findall(line), *CUSTOMER_PLAIN.findall(line)]
    return tuple(decoded(raw.decode("utf-8", "replace")).strip() for raw in found if raw.strip())
