"""What is loaded as it is, cut into batches and written by several threads: all of it, each record once."""

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.strategies import any_event

from maintenance import raw_load
from maintenance.raw_container import RawBatch, types_by_header, unwrapped
from maintenance.raw_load import batches, side_by_side
from schemas.codec import encode

EVENTS = st.one_of([any_event(kind) for kind in sorted(types_by_header().values())[:3]])


def message(offset: int, value: bytes) -> Any:
    told = {"partition": 1, "offset": offset, "timestamp": (1, 5), "key": b"k", "value": value}
    return SimpleNamespace(**{name: lambda it=it: it for name, it in told.items()})


@settings(max_examples=20, deadline=None)
@given(st.lists(st.one_of(EVENTS.map(encode), st.just(b"garbage")), max_size=40), st.integers(1, 9))
def test_every_record_is_in_one_batch_and_a_batch_of_one_type(values: list[bytes], size: int) -> None:
    messages = [message(offset, value) for offset, value in enumerate(values)]
    with pytest.MonkeyPatch.context() as patch:
        for name, limit in (("TYPE_BYTES", 600), ("HELD_BYTES", 1_000), ("BATCH_ROWS", 3)):
            patch.setattr(raw_load, name, limit)
        found = [*batches(messages[begin : begin + size] for begin in range(0, len(messages), size))]
    records = []
    for batch in found:
        inside = [record for blocks in batch.blocks.values() for record in unwrapped(blocks)] + batch.others
        assert batch.count == len(inside) > 0
        assert len(batch.blocks) + bool(batch.others) == 1
        records += inside
    assert sorted((record.offset, record.value) for record in records) == [*enumerate(values)]


def test_writers_work_at_once_and_never_under_the_same_number() -> None:
    together, at_work, lock = threading.Barrier(raw_load.WRITERS), set[int](), threading.Lock()

    def work(batch: RawBatch, number: int) -> int:
        with lock:
            assert number not in at_work
            at_work.add(number)
        together.wait(30)  # breaks where they come one after the other
        with lock:
            at_work.remove(number)
        return 1

    assert sum(side_by_side((RawBatch() for _ in range(3 * raw_load.WRITERS)), work)) == 6


def test_what_a_writer_fails_of_is_raised_and_no_more_is_read() -> None:
    read = []

    def work(batch: RawBatch, number: int) -> int:
        time.sleep(0.001)
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        [*side_by_side((read.append(n) or RawBatch() for n in range(100)), work)]  # type: ignore[func-returns-value]
    assert len(read) <= raw_load.WRITERS + 1
