"""Reading events of FreeSWITCH: one JSON object a line, a JSON array, or a recorded event socket."""

from collections.abc import Iterator
from itertools import chain

import orjson

from adapters.freeswitch.calls import Calls
from adapters.freeswitch.fields import HEADER, Fields, from_headers, from_json, from_object
from adapters.freeswitch.reading import read_event
from adapters.kit.lines import Line, LineFile
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, WrongFile, reject

BLOCK_MAX = 2_000  # lines of an event in the plain form; some have 300
ARRAY_MAX_BYTES = 64_000_000


class Blocks:
    """Events out of lines. The plain form is a block of `Name: value` up to an empty line.

    In what a socket sent some events have a body, lines of any kind; a file of JSON lines has none.
    """

    def __init__(self, bodies: bool) -> None:
        self._lines: list[bytes] = []
        self._bodies = bodies

    def feed(self, data: bytes) -> Fields | None:
        """The event that this line completes, if it does. Raises InvalidInput."""
        text = data.strip()
        if text.startswith(b"{"):
            self._lines = []
            return from_json(text)
        if text and HEADER.match(text) and len(self._lines) < BLOCK_MAX:
            self._lines.append(text)
            return None
        if not text:
            return self.end()
        if self._bodies:
            return None
        raise InvalidInput("no_event", "the line is neither a JSON object nor `Name: value`")

    def end(self) -> Fields | None:
        """The event that an empty line, or the end of the file, completes."""
        fields, self._lines = from_headers(self._lines), []
        return fields if "Event-Name" in fields else None


def is_event(data: bytes) -> bool:
    """Is this the first line of events of FreeSWITCH?"""
    text = data.strip()
    if text.startswith((b"{", b"[{")) and text != b"[{":
        return b'"Event-Name"' in text
    return text in (b"[", b"[{") or text.startswith((b"Content-Type: ", b"Content-Length: ", b"Event-Name: "))


class EventFile:
    """A reader that remembers open calls from one file to the next."""

    def __init__(self, calls: Calls | None = None) -> None:
        self._calls = calls

    def __call__(self, file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
        """Outcomes of a file's events. Raises WrongFile before the first where it is none of FreeSWITCH."""
        self._calls = self._calls or Calls(secret)
        lines = iter(file)
        first = next((line for line in lines if line.data.strip() or line.problem), None)
        if first is None or first.problem or not is_event(first.data):
            raise WrongFile(
                f"{file.name} holds no events of FreeSWITCH: expected JSON objects with Event-Name, one a "
                "line, a JSON array of them, or what the event socket sent"
            )
        if first.data.strip().startswith(b"["):
            yield from self._array(file, first, lines)
        else:
            yield from self._lines(file, first, lines)

    def _array(self, file: LineFile, first: Line, rest: Iterator[Line]) -> Iterator[LineOutcome]:
        """A whole JSON array."""
        pieces, size = [first.data], len(first.data)
        for line in rest:
            size += len(line.data)
            if size > ARRAY_MAX_BYTES:
                raise WrongFile(f"{file.name} is a JSON array of more than 64 MB: write one event a line")
            pieces.append(line.data)
        try:
            found = orjson.loads(b"\n".join(pieces))
        except orjson.JSONDecodeError as error:
            refused = InvalidInput("invalid_json", str(error))
            yield reject(file.name, first.number, refused, first.data, file.keep_payloads)
            return
        for place, item in enumerate(found if isinstance(found, list) else [found], start=1):
            try:
                fields = from_object(item)
            except InvalidInput as refused:
                yield reject(file.name, place, refused, b"", file.keep_payloads)
            else:
                yield self._event(file, place, fields, orjson.dumps(item))

    def _lines(self, file: LineFile, first: Line, rest: Iterator[Line]) -> Iterator[LineOutcome]:
        """Objects or blocks of lines, one after the other."""
        blocks, line = Blocks(not first.data.strip().startswith(b"{")), first
        for line in chain([first], rest):
            try:
                line.require_readable()
                fields = blocks.feed(line.data)
            except InvalidInput as refused:
                yield reject(file.name, line.number, refused, line.data, file.keep_payloads)
                continue
            if fields is not None:
                yield self._event(file, line.number, fields, line.data)
        if fields := blocks.end():
            yield self._event(file, line.number, fields, line.data)

    def _event(self, file: LineFile, place: int, fields: Fields, payload: bytes) -> LineOutcome:
        assert self._calls is not None
        try:
            told = read_event(self._calls, fields)
        except InvalidInput as refused:
            return reject(file.name, place, refused, payload, file.keep_payloads)
        if isinstance(told, str):
            return Skipped(place, told)
        return Accepted(place, told, file.bytes_read)


def read_freeswitch(file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
    """Outcomes of a file on its own."""
    return EventFile()(file, secret)
