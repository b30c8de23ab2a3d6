"""Sources that post JSON: a payload to events, whether it comes from the gateway or from a file of payloads.

Nothing is remembered from one payload to the next, so order and repetition cannot matter.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from adapters.kit.json_pieces import Pieces
from adapters.kit.json_values import json_object, json_value
from adapters.kit.lines import Line, LineFile
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, WrongFile, reject
from schemas.events import Event

Payload = Mapping[str, Any]
UNKNOWN_KIND = "unknown_kind"
RECEIVED_AT = "ringback_received_at"  # UTC milliseconds


class Ignored(Exception):
    """A payload that is understood and tells of no contact. `reason` is a stable short code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def unknown_kind() -> Ignored:
    """A payload of a kind that this version does not know: counted, for vendors add kinds as they like."""
    return Ignored(UNKNOWN_KIND)


def payloads_in(data: bytes) -> list[Payload]:
    """The payloads of a body or line: an object, or a list of them. Raises InvalidInput."""
    value = json_value(data)
    found = value if isinstance(value, list) else [value]
    return [json_object(item) for item in found]


def posted(
    body: bytes, of_form: Callable[[list[tuple[str, str]]], Payload], fields_max: int
) -> list[Payload]:
    """The payloads of a body that is JSON, or a form of so many fields at most. Raises InvalidInput."""
    if body.lstrip()[:1] in (b"{", b"["):
        return payloads_in(body)
    try:
        found = parse_qsl(
            body.decode("ascii").strip(), True, True, errors="strict", max_num_fields=fields_max
        )
    except ValueError:
        raise InvalidInput("invalid_form", "neither JSON nor a form, name=value&name=value") from None
    return [of_form(found)]


@dataclass(frozen=True, slots=True)
class PayloadAdapter:
    """How payloads of a source are read.

    `is_mine`: has it the form of a payload of this source? `to_events` raises InvalidInput, Ignored;
    `customers` gives the raw identifiers of customers in a payload. `parse` finds the payloads in a body, for
    systems that post something other than JSON; it raises InvalidInput. `received`: the system tells no time,
    so the gateway adds RECEIVED_AT to each payload, and a file of payloads has it already.
    """

    is_mine: Callable[[Payload], bool]
    to_events: Callable[[Payload, bytes], Sequence[Event]]
    customers: Callable[[Payload], Iterable[object]]
    parse: Callable[[bytes], list[Payload]] = payloads_in
    received: bool = False
    remember: Callable[[Path], None] | None = None  # keep in a file what payloads mean only together


def told(adapter: PayloadAdapter, payload: Payload, secret: bytes) -> Sequence[Event]:
    """The events of one payload. Raises InvalidInput, Ignored."""
    if not adapter.is_mine(payload):
        raise InvalidInput("wrong_shape", "it has not the form of a payload of this source")
    events = adapter.to_events(payload, secret)
    if not events:
        raise Ignored("nothing_new")
    return events


def outcomes_of(
    adapter: PayloadAdapter, data: bytes, secret: bytes, line: Line, file: LineFile
) -> Iterator[LineOutcome]:
    """Outcomes of the payloads of one line."""
    try:
        line.require_readable()
        found = adapter.parse(data)
    except InvalidInput as refused:
        yield reject(file.name, line.number, refused, data, file.keep_payloads)
        return
    for payload in found:
        try:
            yield Accepted(line.number, tuple(told(adapter, payload, secret)), file.bytes_read)
        except InvalidInput as refused:
            yield reject(file.name, line.number, refused, data, file.keep_payloads)
        except Ignored as ignored:
            yield Skipped(line.number, ignored.reason)


def read_payloads(adapter: PayloadAdapter, file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
    """Outcomes of a file of payloads. Raises WrongFile where the first is none of this source."""
    first = True
    for line in Pieces(file):
        if not (line.data.strip() or line.problem):
            continue
        if first and not mine(adapter, line):
            raise WrongFile(f"{file.name} is no file of this source's payloads: its first one is none")
        first = False
        yield from outcomes_of(adapter, line.data, secret, line, file)


def mine(adapter: PayloadAdapter, line: Line) -> bool:
    """Does a line begin a file of this source?"""
    try:
        return not line.problem and all(map(adapter.is_mine, adapter.parse(line.data)))
    except InvalidInput:
        return False


def customers_in(adapter: PayloadAdapter, line: bytes) -> tuple[str, ...]:
    """Raw identifiers of customers in a line."""
    try:
        found = adapter.parse(line)
        return tuple(str(raw) for payload in found for raw in adapter.customers(payload) if raw)
    except (InvalidInput, TypeError, ValueError, AttributeError):
        return ()
