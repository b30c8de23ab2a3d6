"""Markers in the two changelogs of a stage: which batch has begun, and which is done.

`begun` stands in the state changelog before a batch's states; `done` in the changelog of totals behind its
totals. After a crash they tell whether a batch was cut short, and `begun` what of it may be unpublished.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson

from kpis.rules import Rules
from streams.kafka.record import RESERVED_PREFIX


def marker_key(partition: int) -> bytes:
    """Table key of a partition's marker, the same in both tables."""
    return RESERVED_PREFIX + orjson.dumps(partition)


def is_marker(key: bytes) -> bool:
    """Is this table key a marker, and nothing that was counted?"""
    return key[:1] == RESERVED_PREFIX


def rules_digest(rules: Rules) -> str:
    """Short name of a set of rules: totals are right for the rules they were counted by, for no others."""
    dated = repr(rules.dated) if rules.dated else ""
    return hashlib.sha256(f"{rules!r}{dated}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Begun:
    """A batch, by (epoch, offset of its last event), and what it touches, in the words of its stage.

    `totals` are the keys of the totals it moves, and `empty` is what such a total is with nothing in it:
    should the rules change before the batch is done, these have to be taken back. With `everything` all that
    the partition holds is being published again.
    """

    epoch: int
    offset: int
    touched: Any
    everything: bool = False
    totals: tuple[bytes, ...] = ()
    empty: bytes = b"{}"

    @property
    def batch(self) -> tuple[int, int]:
        """Identity of the batch."""
        return self.epoch, self.offset


@dataclass(frozen=True, slots=True)
class Done:
    """The batch that was finished, the offset up to which every event is in the state, and the rules."""

    batch: tuple[int, int]
    applied: int
    rules: str


def begun_bytes(begun: Begun) -> bytes:
    """Table value of the marker."""
    document = {
        "epoch": begun.epoch,
        "offset": begun.offset,
        "everything": begun.everything,
        "touched": begun.touched,
        "totals": [key.decode() for key in begun.totals],
        "empty": begun.empty.decode(),
    }
    return orjson.dumps(document)


def read_begun(value: bytes | None) -> Begun | None:
    """Marker in a table value; None where no batch ever began."""
    if value is None:
        return None
    document = orjson.loads(value)
    return Begun(
        document["epoch"],
        document["offset"],
        document["touched"],
        document["everything"],
        tuple(key.encode() for key in document["totals"]),
        document["empty"].encode(),
    )


def read_begun_epoch(value: bytes | None) -> int:
    """Epoch of the marker alone; 0 where no batch ever began."""
    return 0 if value is None else int(orjson.loads(value)["epoch"])


def done_bytes(done: Done) -> bytes:
    """Table value of the marker."""
    return orjson.dumps({"batch": done.batch, "applied": done.applied, "rules": done.rules})


def read_done(value: bytes | None) -> Done | None:
    """Marker in a table value; None where no batch was ever finished."""
    if value is None:
        return None
    document = orjson.loads(value)
    epoch, offset = document["batch"]
    return Done((epoch, offset), document["applied"], document["rules"])
