"""Holds of a leg: which intervals the customer spent on hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from kpis.fold.flags import Flags
from kpis.fold.measured import Terminal, measuring
from schemas.events import ContactEvent, ContactHeld, ContactResumed


@dataclass(frozen=True, slots=True)
class Holds:
    """Sum, number and longest of a leg's holds."""

    total_ms: int
    count: int
    longest_ms: int


def held_intervals(events: Sequence[ContactEvent], end_at: int | None, flags: Flags) -> list[tuple[int, int]]:
    """[start, end] per hold_no: earliest held to earliest resumed, else to the end of the leg, by start."""
    held: dict[int, int] = {}
    resumed: dict[int, int] = {}
    for event in events:
        if type(event) is ContactHeld:
            held[event.hold_no] = min(held.get(event.hold_no, event.occurred_at), event.occurred_at)
        elif type(event) is ContactResumed:
            resumed[event.hold_no] = min(resumed.get(event.hold_no, event.occurred_at), event.occurred_at)
    if resumed.keys() - held.keys():
        flags.note("HOLD_ORDER")
    intervals = []
    for number, start in sorted(held.items(), key=lambda item: (item[1], item[0])):
        stop = resumed.get(number, end_at)
        if stop is not None:
            intervals.append((start, stop))
    return intervals


def fold_holds(
    events: Sequence[ContactEvent],
    answered_at: int | None,
    end: Terminal | None,
    flags: Flags,
) -> Holds:
    """Holds of a handled leg, each clipped to the conversation; a hold begun while on hold is ignored.

    A source's own measures (on the event that ended the leg) come before what the events say.
    """
    told = measuring(end)
    if told is not None and told.hold_ms is not None:
        count = told.hold_n if told.hold_n is not None else int(told.hold_ms > 0)
        return Holds(told.hold_ms, count, told.hold_ms if told.hold_max_ms is None else told.hold_max_ms)
    end_at = end.occurred_at if end else None
    lengths: list[int] = []
    on_hold_until: int | None = None
    for start, stop in held_intervals(events, end_at, flags):
        inside_start = start if answered_at is None else max(start, answered_at)
        inside_stop = stop if end_at is None else min(stop, end_at)
        if (inside_start, inside_stop) != (start, stop):
            flags.note("HOLD_ORDER")
        if inside_stop < inside_start or (on_hold_until is not None and inside_start < on_hold_until):
            flags.note("HOLD_ORDER")
            continue
        on_hold_until = inside_stop
        lengths.append(inside_stop - inside_start)
    return Holds(sum(lengths), len(lengths), max(lengths, default=0))
