"""The gateway's spool: what was synced comes out again once, whatever was torn, damaged, full or killed."""

# ruff: noqa: ASYNC110, ASYNC220, ASYNC240

import asyncio
import os
import random
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sending.records import OutgoingRecord
from gateway.kafka import Hopeless, NotAcknowledged
from gateway.spool.frames import frame, frames_in, is_torn, whole_until
from gateway.spool.segments import Segments, SpoolInUse
from gateway.spool.spool import Spool, SpoolFull

COUNT = int(os.environ.get("RINGBACK_FUZZ", "300"))
KILLS = int(os.environ.get("RINGBACK_SPOOL_KILLS", "3"))
ROOT = Path(__file__).parents[2]
RECORDS = st.builds(
    OutgoingRecord, st.text(min_size=1, max_size=20), st.binary(max_size=20), st.binary(max_size=60)
)


def numbered(number: int, size: int = 20) -> OutgoingRecord:
    return OutgoingRecord("contact-events", b"%d" % number, b"x" * size)


def keys(records: Sequence[OutgoingRecord]) -> list[int]:
    return [int(record.key) for record in records]


@given(st.lists(RECORDS, max_size=6), st.data())
def test_frames_come_out_as_they_went_in_up_to_where_they_were_cut(
    records: list[OutgoingRecord], data: st.DataObject
) -> None:
    whole = b"".join(map(frame, records))
    assert [found.record for found in frames_in(whole)] == records
    cut = data.draw(st.integers(0, len(whole)))
    found = [each.record for each in frames_in(whole[:cut])]
    assert found == records[: len(found)]
    assert len(found) == len(records) or len(whole[:cut]) < len(whole)
    assert is_torn(whole[:cut], whole_until(whole[:cut]))


@pytest.mark.fuzz
def test_damaged_frames_crash_nothing_and_make_up_nothing() -> None:
    """A flipped, lost or added byte: what comes out is what went in, up to the damage."""
    rng = random.Random(COUNT)
    records = [OutgoingRecord("t", b"k%d" % n, rng.randbytes(n)) for n in range(8)]
    whole = b"".join(map(frame, records))
    for _ in range(COUNT):
        place, kind = rng.randrange(len(whole)), rng.randrange(4)
        middle = [
            bytes([whole[place] ^ (1 << rng.randrange(8))]),
            b"",
            whole[place : place + 1] * 2,
            rng.randbytes(9),
        ]
        broken = whole[:place] + middle[kind] + whole[place + 1 :]
        found = [each.record for each in frames_in(broken)]
        assert found == records[: len(found)]
        is_torn(broken, whole_until(broken))
    for _ in range(COUNT):
        assert len(list(frames_in(rng.randbytes(rng.randrange(80))))) == 0


def test_a_torn_end_is_cut_and_damage_is_kept_beside(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    segments.append(frame(numbered(1)) + frame(numbered(2)))
    segments.close()
    (name,) = segments.names()
    path = tmp_path / name
    good = path.read_bytes()
    for torn in (frame(numbered(3))[:-1], b"\x05", b"\0" * 4096):
        path.write_bytes(good + torn)
        again = Segments(tmp_path)
        assert keys([each.record for each in again.read(name)]) == [1, 2]
        assert (again.cut_bytes, path.read_bytes()) == (len(torn), good)
        again.close()
    assert not list(tmp_path.glob("*.damaged"))
    broken = bytearray(good + frame(numbered(3)))
    broken[len(good) // 2 + 8] ^= 1
    path.write_bytes(broken)
    again = Segments(tmp_path)
    assert keys([each.record for each in again.read(name)]) == [1]
    again.close()
    (kept,) = tmp_path.glob("*.damaged")
    assert kept.read_bytes() == bytes(broken)[len(good) // 2 :]


def test_two_gateways_do_not_share_a_folder(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    with pytest.raises(SpoolInUse, match="in use by another gateway"):
        Segments(tmp_path)
    segments.close()
    Segments(tmp_path).close()


class Broker:
    """Takes records, but for the first `down` batches and for what it will never take."""

    def __init__(self, down: int = 0, hopeless: int = -1) -> None:
        self.down, self.hopeless = down, hopeless
        self.found: list[int] = []

    async def write(self, records: Sequence[OutgoingRecord]) -> None:
        if self.down > 0:
            self.down -= 1
            raise NotAcknowledged("away")
        if self.hopeless in keys(records):
            raise Hopeless("too large")
        self.found += keys(records)


async def emptied(spool: Spool, broker: Broker) -> None:
    forwarding = asyncio.create_task(spool.forward(broker.write))
    async with asyncio.timeout(20):
        while spool.size:
            await asyncio.sleep(0.02)
    forwarding.cancel()
    with suppress(asyncio.CancelledError):
        await forwarding


async def test_what_was_appended_reaches_kafka_and_leaves_no_file(tmp_path: Path) -> None:
    spool = Spool(Segments(tmp_path, segment_max_bytes=2_000), 1_000_000)
    await asyncio.gather(*(spool.append([numbered(n), numbered(n + 1000)]) for n in range(300)))
    assert len(list(tmp_path.glob("*.spool"))) >= 1
    broker = Broker(down=2)
    await emptied(spool, broker)
    assert sorted(broker.found) == [*range(300), *range(1000, 1300)]
    await spool.append([numbered(7)])
    await emptied(spool, broker)
    assert broker.found[-1] == 7
    spool.close()
    assert list(tmp_path.glob("*.spool")) == []


async def test_a_restart_gives_what_was_left(tmp_path: Path) -> None:
    spool = Spool(Segments(tmp_path, segment_max_bytes=200), 1_000_000)
    for n in range(20):
        await spool.append([numbered(n)])
    spool.close()
    broker = Broker()
    again = Spool(Segments(tmp_path), 1_000_000)
    await emptied(again, broker)
    again.close()
    assert sorted(broker.found) == [*range(20)]


async def test_a_record_that_kafka_never_takes_stops_no_other(tmp_path: Path) -> None:
    spool = Spool(Segments(tmp_path), 1_000_000)
    await spool.append([numbered(n) for n in range(5)])
    broker = Broker(hopeless=3)
    await emptied(spool, broker)
    spool.close()
    assert broker.found == [0, 1, 2, 4]
    kept = (tmp_path / "refused.frames").read_bytes()
    assert keys([each.record for each in frames_in(kept)]) == [3]


async def test_a_full_spool_refuses_and_takes_again_when_kafka_has_it(tmp_path: Path) -> None:
    spool = Spool(Segments(tmp_path), 1_000)
    accepted = []
    for n in range(30):
        try:
            await spool.append([numbered(n, 100)])
            accepted.append(n)
        except SpoolFull:
            break
    assert 5 < len(accepted) < 10
    assert (tmp_path / spool._segments.names()[0]).stat().st_size <= 1_000
    broker = Broker()
    await emptied(spool, broker)
    assert broker.found == accepted
    await spool.append([numbered(99)])
    spool.close()


async def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    """The system's own limit on a file's size: a write fails in the middle of a frame, as on a full disk."""
    spool = Spool(Segments(tmp_path), 1_000_000_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    accepted, refused = [], 0
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
        for n in range(60):
            try:
                await spool.append([numbered(n, 35_000)])
                accepted.append(n)
            except OSError:
                refused += 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert refused > 2
    assert len(accepted) > 20
    broker = Broker()
    await emptied(spool, broker)
    spool.close()
    assert sorted(broker.found) == accepted


CHILD = """
import asyncio, sys
from pathlib import Path
from adapters.sending.records import OutgoingRecord
from gateway.spool.segments import Segments
from gateway.spool.spool import Spool

async def main():
    spool = Spool(Segments(Path(sys.argv[1]), 20_000), 10**9)
    async def sender(first):
        for n in range(first, 10**9, 16):
            await spool.append([OutgoingRecord("t", b"%d" % n, b"x" * 300)])
            print(n, flush=True)
    await asyncio.gather(*(sender(n) for n in range(16)))

asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(KILLS))
async def test_what_a_killed_process_said_it_has_is_there(tmp_path: Path, seed: int) -> None:
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        said = [int(child.stdout.readline()) for _ in range(random.Random(seed).randrange(5, 500))]
        child.kill()
        rest = child.stdout.read().splitlines(keepends=True)
    said += [int(line) for line in rest if line.endswith(b"\n")]
    spool = Spool(Segments(tmp_path), 10**9)
    broker = Broker()
    await emptied(spool, broker)
    spool.close()
    assert {*said} <= {*broker.found}
    assert len({*broker.found}) == len(broker.found)
