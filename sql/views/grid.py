"""Local periods as expressions that a view can carry: no table, no function of ClickHouse that knows zones.

ClickHouse gets some local hours and days wrong (sql.periods), so views carry the shifts of the clock as
constants. Almost all periods begin at a multiple of their length plus a *phase*, such as 22 h of UTC for days
in Rome's summer; where the phase or the clock's offset changes a new *piece* begins. A multiple plus a
constant phase is monotonic, and so is the local time while the offset stands: ClickHouse can use the order of
a table for a condition on either, hence one branch per phase and offset. What is longer than its length, the
25th hour of a day, is *odd* and looked up.

All in seconds. Before FIRST_MS and after LAST_MS the clock is taken to stand as it did there.
"""

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache

from schemas.clock_shifts import shifts
from sql.periods import edges

FIRST_MS = round(datetime(1990, 1, 1, tzinfo=UTC).timestamp() * 1000)
LAST_MS = round(datetime(2051, 1, 1, tzinfo=UTC).timestamp() * 1000)
DAY_S = 86_400
LENGTH_S = {"1m": 60, "15m": 900, "30m": 1_800, "1h": 3_600, "1d": DAY_S, "1w": 7 * DAY_S}

Piece = tuple[int, int, int]  # begin; its phase, for an odd one minus the begin of its period; offset
ODD = -1  # the class of all odd pieces


@dataclass(frozen=True, slots=True)
class Branch:
    """Rows of one phase and offset: begin of their period, the same on the local clock, and which rows these
    are ("" for all).
    """

    start: str
    local: str
    condition: str


@dataclass(frozen=True, slots=True)
class Grid:
    """How to find periods. Expressions are of `second`; `names` are constants that they use, for WITH."""

    names: dict[str, str]
    start: str
    branches: tuple[Branch, ...]

    def constants(self) -> str:
        """The WITH clause that names the shifts of the clock, as the other expressions use them."""
        return "WITH " + ",\n    ".join(f"{text} AS {name}" for name, text in self.names.items())

    def start_of(self, second: str) -> str:
        """Begin of the period that holds a second."""
        return self.start.replace("second", second)

    def branches_of(self, second: str) -> list[Branch]:
        """The same as branches over disjoint rows."""
        return [
            Branch(b.start.replace("second", second), b.local, b.condition.replace("second", second))
            for b in self.branches
        ]


END = "transform(toInt64({0}), uneven_starts, uneven_ends, toInt64({0}) + {1})"
OFFSET = "transform(roundDown(toInt64({0}), shift_times), shift_times, shift_offsets, toInt64(0))"
PIECE = "transform(roundDown(second, piece_begins), piece_begins, piece_values, toInt64(0))"
LOCAL = f"start_s + {OFFSET.format('start_s')}"
CLASS = PIECE.replace("piece_values", "piece_classes")


def numbers(values: Sequence[int]) -> str:
    """A constant array; never empty, because the functions that take it refuse that."""
    return f"[{', '.join(map(str, values or (0,)))}]::Array(Int64)"


def end_of(start: str, every: str) -> str:
    """End of the period that begins there."""
    return END.format(start, LENGTH_S.get(every, 0))


def offset_of(second: str) -> str:
    """By how many seconds the local clock is ahead of UTC then."""
    return OFFSET.format(second)


def short_pieces(length: int, known: Sequence[tuple[int, int]], last: int) -> Iterator[tuple[Piece, int]]:
    """Pieces of hours and shorter from shifts (seconds), and where each ends; a shift may cut one."""
    for number, (begin, offset) in enumerate(known):
        end = known[number + 1][0] if number + 1 < len(known) else last
        full = -(-(begin + offset) // length) * length - offset
        if full > begin and number:
            yield (begin, -begin, offset), min(full, end)
        if full < end:
            yield (full if number else begin, offset % length, offset), end


def long_pieces(
    length: int, listed: Sequence[int], known: Sequence[tuple[int, int]]
) -> Iterator[tuple[Piece, int]]:
    """Pieces of days and weeks from their begins (seconds), and where each ends."""
    shifted = [shift for shift, _ in known]
    for begin, end in itertools.pairwise(listed):
        offset = known[max(bisect_right(shifted, begin) - 1, 0)][1]
        yield (begin, -begin % length, offset), min(begin + length, end)
        if end - begin > length:
            yield (begin + length, -begin, offset), end


def joined(pieces: Iterator[tuple[Piece, int]]) -> list[tuple[Piece, int]]:
    """Neighbours of one phase and offset made one."""
    found: list[tuple[Piece, int]] = []
    for (begin, *kind), end in pieces:
        if found and [*found[-1][0][1:]] == kind and found[-1][1] == begin:
            found[-1] = (found[-1][0], end)
        else:
            found.append(((begin, kind[0], kind[1]), end))
    return found


def seconds(times_ms: Sequence[int]) -> list[int]:
    """Milliseconds as seconds: offsets and shifts are whole minutes."""
    return [time // 1000 for time in times_ms]


@cache
def long_edges(every: str, zone: tzinfo) -> list[int]:
    """Begins of days, weeks or months, in seconds."""
    return seconds(edges(FIRST_MS, LAST_MS, every, zone))[1:-1]


def uneven(every: str, zone: tzinfo, known: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Begin and end of the periods that are not of their usual length, in seconds; of all months."""
    if every == "1m":
        return []
    lists = [long_edges(every, zone)] if every not in ("15m", "30m", "1h") else [
        seconds(edges((shift - 7_200) * 1000, (shift + 7_200) * 1000, every, zone))[1:-1]
        for shift, _ in known[1:]  # nothing else cuts quarters and hours
    ]  # fmt: skip
    pairs = (pair for listed in lists for pair in itertools.pairwise(listed))
    return [(begin, end) for begin, end in pairs if end - begin != LENGTH_S.get(every)]


@cache
def grid(every: str, zone: tzinfo) -> Grid:
    """Periods of 1m, 15m, 30m, 1h, 1d, 1w or 1M in a zone."""
    known = [(shift // 1000, offset // 1000) for shift, offset in shifts(FIRST_MS, LAST_MS, zone)]
    ends = uneven(every, zone, known)
    names = {
        "shift_times": numbers([shift for shift, _ in known]),
        "shift_offsets": numbers([offset for _, offset in known]),
        "uneven_starts": numbers([begin for begin, _ in ends]),
        "uneven_ends": numbers([end for _, end in ends]),
    }
    if every == "1M":
        start = "roundDown(second, uneven_starts)"
        return Grid(names, start, (Branch(start, LOCAL, ""),))
    length = LENGTH_S[every]
    if length <= LENGTH_S["1h"]:
        pieces = joined(short_pieces(length, known, LAST_MS // 1000))
    else:
        pieces = joined(long_pieces(length, long_edges(every, zone), known))
    if len(pieces) == 1:
        _, phase, offset = pieces[0][0]
        start = multiple("second", length, phase)
        return Grid(names, start, (Branch(start, ahead(offset), ""),))
    kinds = sorted({(value, offset) for (_, value, offset), _ in pieces if value >= 0})
    classes = {kind: number for number, kind in enumerate(kinds)}
    names["piece_begins"] = numbers([begin for (begin, _, _), _ in pieces])
    names["piece_values"] = numbers([value for (_, value, _), _ in pieces])
    names["piece_classes"] = numbers([classes.get((value, offset), ODD) for (_, value, offset), _ in pieces])
    start = f"if({PIECE} < 0, -{PIECE}, {multiple('second', length, PIECE)})"
    if len({*phases(pieces)}) == 1:
        start = multiple("second", length, kinds[0][0])
    return Grid(names, start, tuple(branches(length, pieces, classes)))


def phases(pieces: Sequence[tuple[Piece, int]]) -> Iterator[int]:
    """Phase of each piece."""
    return (value for (_, value, _), _ in pieces)


def ahead(offset: int) -> str:
    """The local time of a begin where the offset is known."""
    return f"start_s + {offset}" if offset >= 0 else f"start_s - {-offset}"


def multiple(second: str, length: int, phase: int | str) -> str:
    """The last multiple of a length plus a phase."""
    if phase == 0:
        return f"intDiv({second}, {length}) * {length}"
    return f"intDiv({second} + {phase}, {length}) * {length} - {phase}"


def branches(
    length: int, pieces: Sequence[tuple[Piece, int]], classes: dict[tuple[int, int], int]
) -> Iterator[Branch]:
    """One branch per phase and offset, and one for all that is odd, with the few days of UTC that hold it."""
    for (phase, offset), number in classes.items():
        yield Branch(multiple("second", length, phase), ahead(offset), f"{CLASS} = {number}")
    odd = [(begin, end) for (begin, value, _), end in pieces if value < 0]
    days = sorted({day for begin, end in odd for day in range(begin // DAY_S, (end - 1) // DAY_S + 1)})
    if odd:
        listed = ", ".join(map(str, days))
        yield Branch(f"-{PIECE}", LOCAL, f"{CLASS} = {ODD} AND intDiv(second, {DAY_S}) IN ({listed})")
