"""The day so far beside the usual course of the same weekday, by quarter-hours of the local clock."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from wallboard.local_day import SLOTS

MEASURES = ("offered", "abandoned", "answered_in_target", "service_level_n")
Slots = list[dict[str, int]]


def empty() -> Slots:
    """A day without contacts."""
    return [dict.fromkeys(MEASURES, 0) for _ in range(SLOTS)]


def usual(days: Sequence[Sequence[int]]) -> list[float]:
    """The median of each quarter-hour over some days; days without any contact are none of work."""
    worked = [day for day in days if any(day)]
    return [float(median(values)) for values in zip(*worked, strict=True)] if worked else []


def slots_by_queue(rows: Iterable[tuple[str, int, Mapping[str, int]]]) -> dict[str, Slots]:
    """Sums by queue and quarter-hour, from (queue, quarter-hour, sums)."""
    found: dict[str, Slots] = defaultdict(empty)
    for queue, slot, sums in rows:
        place = found[queue][slot]
        for name in MEASURES:
            place[name] += int(sums[name])
    return found


def columns(slots: Slots, until: int) -> dict[str, list[int]]:
    """A column per measure, up to a quarter-hour."""
    return {name: [slot[name] for slot in slots[:until]] for name in MEASURES}


def usual_documents(days: Sequence[Mapping[str, Slots]]) -> dict[str, Any]:
    """What is usually offered by quarter-hour, by queue, and how many days that is the median of."""
    queues = {queue for day in days for queue in day}
    lists = {
        queue: [[slot["offered"] for slot in day[queue]] for day in days if queue in day] for queue in queues
    }
    return {
        queue: {"offered": usual(found), "days": sum(1 for day in found if any(day))}
        for queue, found in lists.items()
    }
