"""Recordings that begin and end in the middle of calls: less is known, and nothing that was not so.

Of a call that a cut has only a part of no answer, abandonment or transfer may be told that the whole
recording does not have, and no contact that it does not know: who begins late sees calls without their start.
"""

import lzma
import random
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from support.recorded_asterisk import RECORDED, SECRET, unpacked

from adapters.asterisk.file import QueueLog, in_order
from adapters.asterisk_ami.file import AmiFile
from adapters.freeswitch.file import EventFile
from adapters.kit.check import lines_of, read_lines
from adapters.kit.contract import by_owner
from adapters.kit.source import Reader
from kpis.fold.events import fold
from schemas.events import ContactEvent

CUTS = 3
SEED = 20_261_127
READERS: dict[str, Callable[[], Reader]] = {
    "queue_log": QueueLog,
    "ami": AmiFile,
    "freeswitch": EventFile,
}
Counts = dict[str, int]


@cache
def recorded(name: str, folder: Path) -> list[list[bytes]]:
    """The lines of a recording, those of one event together."""
    if name == "queue_log":
        return [[line] for path in in_order(unpacked(folder, "queue_log*.xz")) for line in lines_of(path)]
    if name == "freeswitch":
        packed = (RECORDED.parent / "freeswitch" / "events.jsonl.xz").read_bytes()
        return [[line] for line in lzma.decompress(packed).splitlines()]
    (path,) = unpacked(folder, "ami.raw.xz")
    return list(blocks(lines_of(path)))


def blocks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Lines up to and with each empty one."""
    block: list[bytes] = []
    for line in lines:
        block.append(line)
        if not line:
            yield block
            block = []


def counted(name: str, events: list[list[bytes]]) -> dict[str, Counts | None]:
    """What each contact comes to; None of an agent's inquiry, which the whole recording withdraws."""
    lines = [line for event in events for line in event]
    found: dict[str, Counts | None] = {}
    for contact, told in by_owner(read_lines(READERS[name](), "queue_log", lines, SECRET)).items():
        facts = fold([event for event in told if isinstance(event, ContactEvent)])
        withdrawn = any(event.type == "contact_withdrawn" for event in told)
        found[contact] = (
            None
            if withdrawn
            else {
                "answered": sum(leg.handled for leg in facts.legs),
                "abandoned": sum(leg.abandoned for leg in facts.legs),
                "transferred": sum(leg.transferred_out for leg in facts.legs),
            }
        )
    return found


@pytest.mark.parametrize("name", READERS)
def test_a_part_tells_nothing_that_the_whole_does_not(name: str, tmp_path: Path) -> None:
    events = recorded(name, tmp_path)
    whole, rng = counted(name, events), random.Random(SEED)
    for _ in range(CUTS):
        begin = rng.randrange(len(events) // 2)
        end = rng.randrange(begin + len(events) // 8, begin + len(events) // 3)
        part = counted(name, events[begin:end])
        assert part
        assert part.keys() <= whole.keys()
        more = [
            (contact, what)
            for contact, counts in part.items()
            for what, known in (whole[contact] or {}).items()
            if counts and counts[what] > known
        ]
        assert more == [], (begin, end)
