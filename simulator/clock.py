"""Simulated time: things that happen later, in order, in whole milliseconds."""

import heapq
from collections.abc import Callable

Action = Callable[[], None]


class Clock:
    """The agenda of a simulation. Two things at the same instant happen in the order they were planned."""

    def __init__(self, start_ms: int) -> None:
        self.now = start_ms
        self.essential = 0  # planned actions that somebody waits for
        self._agenda: list[tuple[int, int, bool, Action]] = []
        self._planned = 0

    def after(self, delay_ms: int, action: Action, essential: bool = True) -> None:
        """Plan an action. One that is not essential does not keep the simulation going."""
        self._planned += 1
        self.essential += essential
        heapq.heappush(self._agenda, (self.now + delay_ms, self._planned, essential, action))

    def next_at(self) -> int | None:
        """When the next thing happens, None if nothing is left that anybody waits for."""
        return self._agenda[0][0] if self.essential else None

    def step(self) -> None:
        """Let the next thing happen."""
        self.now, _, essential, action = heapq.heappop(self._agenda)
        self.essential -= essential
        action()
