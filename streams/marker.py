"""Markers in the two changelogs: which batch has begun, and which is done.

`begun` stands in the contact changelog before a batch's contacts; `done` in the window changelog behind its
windows. After a crash they tell whether a batch was cut short, and `begun` whose facts may be unpublished.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from streams.apply import ContactChange, FactKeys, keys_of

PREFIX = b"\xff"  # no contact_id and no window key begins so: it is no UTF-8


def marker_key(partition: int) -> bytes:
    """Table key of a partition's marker, the same in both tables."""
    return PREFIX + orjson.dumps(partition)


def is_marker(key: bytes) -> bool:
    """Is this table key a marker, and no contact or window?"""
    return key[:1] == PREFIX


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch, by (epoch, offset of its last event), and the fact rows its contacts have or had."""

    epoch: int
    offset: int
    contacts: dict[str, FactKeys]

    @property
    def batch(self) -> tuple[int, int]:
        """Identity of the batch."""
        return self.epoch, self.offset


@dataclass(frozen=True, slots=True)
class Done:
    """The batch that was finished, and the offset up to which every event is in the state."""

    batch: tuple[int, int]
    applied: int


def either(change: ContactChange) -> FactKeys:
    """Rows a contact had before a change or has after it."""
    has = keys_of(change.facts)
    return FactKeys(
        change.had.contact or has.contact, change.had.legs | has.legs, change.had.surveys | has.surveys
    )


def begin(epoch: int, offset: int, changes: Sequence[ContactChange]) -> Begun:
    """Marker of a batch that changes these contacts."""
    return Begun(epoch, offset, {change.contact_id: either(change) for change in changes})


def begun_bytes(begun: Begun) -> bytes:
    """Table value of the marker."""
    contacts = {
        name: [keys.contact, sorted(keys.legs), sorted(keys.surveys)] for name, keys in begun.contacts.items()
    }
    return orjson.dumps({"epoch": begun.epoch, "offset": begun.offset, "contacts": contacts})


def read_begun(value: bytes | None) -> Begun | None:
    """Marker in a table value; None where no batch ever began."""
    if value is None:
        return None
    document = orjson.loads(value)
    contacts = {
        name: FactKeys(contact, frozenset(legs), frozenset((kind, who) for kind, who in surveys))
        for name, (contact, legs, surveys) in document["contacts"].items()
    }
    return Begun(document["epoch"], document["offset"], contacts)


def read_begun_epoch(value: bytes | None) -> int:
    """Epoch of the marker alone; 0 where no batch ever began."""
    return 0 if value is None else int(orjson.loads(value)["epoch"])


def done_bytes(done: Done) -> bytes:
    """Table value of the marker."""
    return orjson.dumps({"batch": done.batch, "applied": done.applied})


def read_done(value: bytes | None) -> Done | None:
    """Marker in a table value; None where no batch was ever finished."""
    if value is None:
        return None
    document = orjson.loads(value)
    epoch, offset = document["batch"]
    return Done((epoch, offset), document["applied"])
