"""A task: entries into queues and reservations that were accepted, put together to legs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.kit.journeys import Facts

Value = Mapping[str, Any]
ASKED, FAILED = "task.transfer-initiated", ("task.transfer-failed", "task.transfer-canceled")
FLOWED = ("task-queue.moved", "task-queue.timeout")


@dataclass(slots=True)
class Leg:
    """A wait in a queue, a worker's part, or both."""

    entered: Value | None = None
    accepted: Value | None = None

    @property
    def begins(self) -> int:
        """When it began."""
        return int((self.entered or self.accepted or {"at": 0})["at"])

    @property
    def queue(self) -> str:
        """The queue, "" where it is not known."""
        return str((self.entered or self.accepted or {}).get("queue") or "")


def of_kind(facts: Facts, *kinds: str) -> list[Value]:
    """The facts of these kinds in the order of their times."""
    found = [value for value in facts.values() if value["kind"] in kinds]
    return sorted(found, key=lambda value: (value["at"], str(value.get("reservation") or value.get("queue"))))


def first_after(values: Iterable[Value], at: int, until: int | None = None) -> Value | None:
    """The first one not before a time, and before another."""
    return next((each for each in values if each["at"] >= at and (until is None or each["at"] < until)), None)


def legs_of(facts: Facts) -> list[Leg]:
    """All legs in order. Who accepts ends the last wait before it; a second one has a leg of his own."""
    entries: dict[tuple[str, int], Value] = {}
    for value in of_kind(facts, "task-queue.entered"):
        entries.setdefault((str(value.get("queue")), value["at"]), value)
    legs = [Leg(entered=value) for value in entries.values()]
    for accepted in of_kind(facts, "reservation.accepted"):
        waiting = [leg for leg in legs if leg.begins <= accepted["at"]]
        last = max(waiting, key=lambda leg: leg.begins, default=None)
        if last is not None and last.accepted is None:
            last.accepted = accepted
        else:
            legs.append(Leg(accepted=accepted))
    return sorted(
        [leg for leg in legs if not taken_back(facts, leg)], key=lambda leg: (leg.begins, leg.queue)
    )


def taken_back(facts: Facts, leg: Leg) -> bool:
    """Is it the wait of a transfer that came to nothing? The worker before has the task still.

    Not where the customer went meanwhile: the task is cancelled then.
    """
    if leg.accepted is not None or first_after(of_kind(facts, ASKED), 0, leg.begins + 1) is None:
        return False
    failed = first_after(of_kind(facts, *FAILED), leg.begins)
    return (
        failed is not None and first_after(of_kind(facts, "task.canceled"), 0, failed["at"] + 1_001) is None
    )
