"""A cap on dead letters, so that a wrong schema stops the worker instead of emptying a topic into them."""

from collections import deque
from dataclasses import dataclass, field


class TooManyDeadLetters(RuntimeError):
    """More bad input than a working source sends."""


@dataclass(slots=True)
class DeadLetterLimit:
    """Share of dead letters among the last `window` records (or more: whole batches are counted)."""

    window: int
    max_share: float
    batches: deque[tuple[int, int]] = field(default_factory=deque)  # (records, dead letters)

    @property
    def recent(self) -> tuple[int, int]:
        """Records seen lately, and dead letters among them."""
        return sum(seen for seen, _ in self.batches), sum(bad for _, bad in self.batches)

    def go_on_from(self, recent: tuple[int, int]) -> None:
        """What was counted before a restart: without it every start would let a flood in again.

        A share above the limit can only have been let in under a greater one, raised to get over a flood:
        with it the worker would stop at its first record, whatever that is.
        """
        seen, bad = recent
        if not self.batches and (seen < self.window or bad <= self.max_share * seen):
            self.batches.append(recent)

    def count(self, records: int, refused: int, example: str) -> None:
        """Count a batch; raises TooManyDeadLetters above the share, once `window` records were seen."""
        self.batches.append((records, refused))
        while sum(seen for seen, _ in self.batches) - self.batches[0][0] >= self.window:
            self.batches.popleft()
        seen, bad = self.recent
        if seen >= self.window and bad > self.max_share * seen:
            raise TooManyDeadLetters(
                f"{bad} of the last {seen} records are no events (last: {example}); nothing was skipped. "
                "Upgrade the worker or mend the producer, or raise RINGBACK_DEAD_LETTER_MAX_SHARE first"
            )
