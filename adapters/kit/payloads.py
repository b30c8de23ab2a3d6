"""Sources that post JSON: a payload to events, whether it comes from the gateway or from a file of payloads.

Nothing is remembered from one payload to the next, so order and repetition cannot matter.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson

from adapters.kit.json_pieces import Pieces
from adapters.kit.json_values import json_object, json_value
from adapters.kit.lines import Line, LineFile
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, WrongFile, attempt, reject
from schemas.events import Event

Payload = Mapping[str, Any]
Told = Event | InvalidInput
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


def payloads_in(data: bytes) -> list[Payload | InvalidInput]:
    """The payloads of a body or line: an object, or a list of them. Raises InvalidInput.

    What is none among others is refused alone.
    """
    value = json_value(data)
    return objects_or_refused(value) if isinstance(value, list) else [json_object(value)]


def objects_or_refused(found: list[Any]) -> list[Payload | InvalidInput]:
    """The objects of a list, and why others are none. Raises InvalidInput where no item is an object."""
    made: list[Payload | InvalidInput] = [attempt(json_object, item) for item in found]
    if made and all(isinstance(each, InvalidInput) for each in made):
        json_object(found[0])
    return made


def posted(
    body: bytes, of_form: Callable[[list[tuple[str, str]]], Payload], fields_max: int
) -> list[Payload | InvalidInput]:
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

    `is_mine`: has it the form of a payload of this source? `to_events` raises InvalidInput, Ignored; of a
    payload that holds a list, it gives refusals of single items among the events. `customers` gives the raw
    identifiers of customers in a payload. `parse` finds the payloads in a body, for systems that post
    something other than JSON; it raises InvalidInput. `received`: the system tells no time, so the gateway
    adds RECEIVED_AT to each payload, and a file of payloads has it already.
    """

    is_mine: Callable[[Payload], bool]
    to_events: Callable[[Payload, bytes], Sequence[Told]]
    customers: Callable[[Payload], Iterable[object]]
    parse: Callable[[bytes], list[Payload | InvalidInput]] = payloads_in
    received: bool = False
    remember: Callable[[Path], None] | None = None  # keep in a file what payloads mean only together


def told(adapter: PayloadAdapter, payload: Payload, secret: bytes) -> Sequence[Told]:
    """The events of one payload, and refusals of items in it. Raises InvalidInput, Ignored."""
    if not adapter.is_mine(payload):
        raise InvalidInput("wrong_shape", "it has not the form of a payload of this source")
    events = adapter.to_events(payload, secret)
    if not events:
        raise Ignored("nothing_new")
    return events


@dataclass(frozen=True, slots=True)
class Refused:
    """A payload, or an item of its list, that makes no event. `index` counts the payloads of a body from 0;
    `item` names it among all items, "" where it is all of the body."""

    index: int
    item: str
    why: InvalidInput
    payload: bytes


@dataclass(frozen=True, slots=True)
class Given:
    """What one payload of a body gave: events, refusals, or the reason why it tells nothing."""

    events: tuple[Event, ...] = ()
    refused: tuple[Refused, ...] = ()
    ignored: str = ""


def given_by(adapter: PayloadAdapter, body: bytes, secret: bytes, **more: Any) -> Iterator[Given]:
    """What each payload of a body gives, with `more` in it. Raises InvalidInput where it has no payload."""
    found = adapter.parse(body)
    for index, payload in enumerate(found):
        made: Sequence[Told]
        try:
            if isinstance(payload, InvalidInput):
                raise payload
            made = told(adapter, {**payload, **more}, secret)
        except InvalidInput as why:
            made = [why]
        except Ignored as ignored:
            yield Given(ignored=ignored.reason)
            continue
        refusals = [each for each in made if isinstance(each, InvalidInput)]
        number = index if len(found) > 1 else None
        data = body if number is None or not refusals else written(payload)
        yield Given(
            tuple(each for each in made if not isinstance(each, InvalidInput)),
            tuple(Refused(index, named(number, each.item), each, data) for each in refusals),
        )


def named(*numbers: int | None) -> str:
    """The name of an item of an item."""
    return ".".join(str(number) for number in numbers if number is not None)


def written(payload: Payload | InvalidInput) -> bytes:
    """A payload of several as JSON, for its dead letter; nothing of what is none, or nested too deeply."""
    try:
        return b"" if isinstance(payload, InvalidInput) else orjson.dumps(payload)
    except orjson.JSONEncodeError:
        return b""


def outcomes_of(
    adapter: PayloadAdapter, data: bytes, secret: bytes, line: Line, file: LineFile
) -> Iterator[LineOutcome]:
    """Outcomes of the payloads of one line."""
    keep = file.keep_payloads
    try:
        line.require_readable()
        for given in given_by(adapter, data, secret):
            if given.ignored:
                yield Skipped(line.number, given.ignored)
            elif given.events:
                yield Accepted(line.number, given.events, file.bytes_read)
            for each in given.refused:
                yield reject(file.name, line.number, each.why, each.payload, keep, each.item)
    except InvalidInput as refused:
        yield reject(file.name, line.number, refused, data, keep)


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
        found = adapter.parse(line.data)
    except InvalidInput:
        return False
    payloads = [each for each in found if not isinstance(each, InvalidInput)]
    return not line.problem and (any(map(adapter.is_mine, payloads)) or not found)


def customers_in(adapter: PayloadAdapter, line: bytes) -> tuple[str, ...]:
    """Raw identifiers of customers in a line."""
    try:
        found = adapter.parse(line)
    except InvalidInput:
        return ()
    payloads = (each for each in found if not isinstance(each, InvalidInput))
    return tuple(raw for payload in payloads for raw in named_in(adapter, payload))


def named_in(adapter: PayloadAdapter, payload: Payload) -> list[str]:
    """Raw identifiers of customers in a payload; none where it has not the form of this source."""
    try:
        return [str(raw) for raw in adapter.customers(payload) if raw]
    except (InvalidInput, LookupError, TypeError, ValueError, AttributeError):
        return []
