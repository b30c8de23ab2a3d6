"""Arithmetic of half-open intervals [begin, end) in milliseconds."""

from collections.abc import Iterable

Interval = tuple[int, int]


def clipped(span: Interval, begin: int, end: int) -> Interval | None:
    """The part of an interval within [begin, end); None if there is none."""
    first, last = max(span[0], begin), min(span[1], end)
    return (first, last) if first < last else None


def union(spans: Iterable[Interval]) -> list[Interval]:
    """The same times as disjoint intervals in order."""
    merged: list[Interval] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def length_ms(spans: Iterable[Interval]) -> int:
    """How long intervals are together; what two have in common counts twice."""
    return sum(end - begin for begin, end in spans)


def common_ms(left: Iterable[Interval], right: Iterable[Interval]) -> int:
    """How long both are at once, where the intervals of each are disjoint."""
    others = list(right)
    return sum(end - begin for a in left for b in others if (span := clipped(a, *b)) for begin, end in [span])
