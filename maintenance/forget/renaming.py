"""A customer's key replaced by a pseudonym in all that Ringback writes. No I/O, no chance in here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from schemas.codec import decode, encode
from schemas.forgotten import Ledger
from schemas.topics import CONTACTS_CHANGELOG
from streams.kafka.record import KeyValue
from streams.stages.contacts.event_set import LENGTH, split
from streams.state.markers import is_marker


@dataclass(frozen=True)
class Renaming:
    """Customer keys and what takes their place: in events by the ledger, in facts and state the last name."""

    names: Mapping[str, str]
    ledger: Ledger

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """Finds the keys in bytes, as Avro and JSON write them."""
        return re.compile(b"|".join(re.escape(key.encode()) for key in self.names) or b"(?!)")

    def found_in(self, data: bytes | None) -> bool:
        """May one of them stand in here?"""
        return bool(data) and self.pattern.search(data) is not None  # type: ignore[arg-type]

    def event(self, canonical: bytes) -> bytes:
        """An event's canonical bytes with the pseudonym."""
        event = decode(canonical)
        known = self.ledger.applied(event)
        return canonical if known is event else encode(known)

    def state(self, packed: bytes) -> bytes:
        """A contact's event set; ids stay, so it stays in order."""
        renamed = (self.event(raw) if self.found_in(raw) else raw for raw in split(packed))
        return b"".join(LENGTH.pack(len(raw)) + raw for raw in renamed)

    def json(self, data: bytes) -> bytes:
        """A JSON document, wherever in it a text is one of the keys."""
        return orjson.dumps(self._value(orjson.loads(data)))

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.names.get(value, value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if isinstance(value, dict):
            return {self.names.get(name, name): self._value(item) for name, item in value.items()}
        return value

    def records(self, topic: str, key: bytes, value: bytes) -> Iterator[KeyValue]:
        """What is to be written to a compacted topic so that a record is of the pseudonym."""
        marker = is_marker(key)
        packed = topic == CONTACTS_CHANGELOG and not marker
        new_key = self.json(key) if not marker and not packed and self.found_in(key) else key
        if new_key != key:
            yield key, None
        yield new_key, self.state(value) if packed else self.json(value)
