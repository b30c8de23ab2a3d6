"""The records Ringback writes: changelogs and output topics, as key and value bytes (JSON by orjson)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson

from kpis.tallies.windows import MEASURES, Tally, Window
from streams.stages.contacts.batch import ContactChange

# (epoch, offset) in one integer that ClickHouse can compare: 2^24 epochs of 2^39 offsets, with two places
# each: the stream's and, behind it, a rebuild's. Older rows had one place: what comes later is above them.
OFFSET_BITS = 40
# Windows that move now are few; their keys are needed in every batch.
KEPT_KEYS = 20_000


def row_version(epoch: int, offset: int) -> int:
    """Version of a row: greater is later. Recovery from a crash raises the epoch; in one the offset decides.

    `offset` is that of the last event applied in the partition, -1 for none.
    """
    return (epoch << OFFSET_BITS) | 2 * (offset + 1)


def rebuilt_version(epoch: int, next_offset: int) -> int:
    """Version of a row that a rebuild made of all events before an offset: between the stream's that ends
    before it and the stream's that has it.
    """
    return row_version(epoch, next_offset - 1) + 1


def compact(dumped: bytes) -> bytes:
    """The same bytes without the 4 kB buffer that orjson leaves around them: tables keep a great many."""
    return bytes(memoryview(dumped))


@lru_cache(KEPT_KEYS)
def window_key(window: Window, partition: int) -> bytes:
    """Table and changelog key of a window; the source partition is part of it."""
    return compact(orjson.dumps([window.start, window.channel, window.queue, partition]))


@lru_cache(KEPT_KEYS)
def window_of(key: bytes) -> tuple[Window, int]:
    """Window and partition of a table key."""
    start, channel, queue, partition = orjson.loads(key)
    return Window(start, channel, queue), partition


def tally_bytes(tally: Sequence[int]) -> bytes:
    """Table value of a window: its measures in the order of kpis.tallies.windows.MEASURES, by name."""
    named = {name: value for name, value in zip(MEASURES, tally, strict=True) if value}
    return compact(orjson.dumps(named))


def tally_of(value: bytes) -> Tally:
    """Measures in a table value; one that is not named there is 0, so measures can be added later."""
    named = orjson.loads(value)
    return tuple(named.get(name, 0) for name in MEASURES)


def window_document(window: Window, partition: int, measures: bytes, version: int) -> bytes:
    """Output record of a window's new total, whose table value is `measures`."""
    document: dict[str, Any] = {
        "window_start": window.start,
        "channel": window.channel,
        "queue": window.queue,
        "partition": partition,
        "version": version,
        "measures": orjson.Fragment(measures),
    }
    return orjson.dumps(document)


def gone(change: ContactChange) -> dict[str, Any]:
    """Fact rows that were and are no more, because a correction moved their events: to be deleted."""
    offers, durations = change.had.offers - change.has.offers, change.had.durations - change.has.durations
    return {
        "contact": change.had.contact and not change.has.contact,
        "legs": sorted(change.had.legs - change.has.legs),
        "surveys": sorted(change.had.surveys - change.has.surveys),
        **({"offers": sorted(offers)} if offers else {}),
        **({"durations": sorted(durations)} if durations else {}),
    }


def facts_document(change: ContactChange, version: int) -> bytes:
    """Output record of a contact's new facts."""
    facts = change.facts
    document = {
        "contact_id": change.contact_id,
        "version": version,
        "contact": facts.contact,  # orjson writes dataclasses itself, five times as fast as asdict
        "legs": facts.legs,
        "surveys": facts.surveys,
        "gone": gone(change),
        **({"offers": facts.offers} if facts.offers else {}),
    }
    return orjson.dumps(document)
