"""Warnings of which there may be very many: at most one line a second, which says how many were left out."""

import time
from collections.abc import Callable
from typing import Any

import structlog

log = structlog.get_logger()
EVERY_S = 1.0


class SparingLog:
    """Writes one line at most in a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = float("-inf")
        self._left_out = 0

    def warning(self, event: str, **fields: Any) -> None:
        """Say it, or count it: the next line says how many there were in between."""
        now = self._clock()
        if now - self._last < EVERY_S:
            self._left_out += 1
            return
        more = {"more_before": self._left_out} if self._left_out else {}
        log.warning(event, **fields, **more)
        self._last, self._left_out = now, 0
