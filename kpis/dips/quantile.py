"""A percentile beyond a limit: so many of the durations are beyond it that the percentile is, too."""

from dataclasses import dataclass

from kpis.dips.detector import Parts
from kpis.dips.ladder import Look


@dataclass(frozen=True, slots=True)
class BeyondQuantile:
    """`type: threshold` of a percentile, or of the longest, which is the hundredth.

    The lower quantile (docs/facts.md 7) is the least value that `percent` of n do not exceed: it is above a
    limit when more than all others are, and below it when at least `percent` of n are. The parts count what
    is beyond the limit, and beyond `clear`, on the good side of it. Of too few nothing is said.
    """

    percent: int
    below: bool
    window_ms: int
    min_samples: int

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The window."""
        return [(begin - self.window_ms, end)]

    def quiet(self, parts: Parts, at: int, restart: int) -> bool:
        """Were too few counted to judge by?"""
        return parts[0].since(at - self.window_ms, at)[1] < self.min_samples

    def came(self, parts: Parts, at: int) -> bool:
        """Within the window."""
        return parts[0].first(at - self.window_ms, at) is not None

    def is_fine(self, parts: Parts, at: int, restart: int) -> bool:
        """Only a look can tell, but where there is nothing."""
        return parts[0].since(at - self.window_ms, at)[1] == 0

    def look(self, parts: Parts, at: int, restart: int) -> Look:
        """How many of the window are beyond the limit."""
        (beyond, n), (beyond_clear, _) = (part.since(at - self.window_ms, at) for part in parts)
        off = self._is_beyond(beyond, n)
        return Look(n, self.window_ms if off else 0, beyond, n, off or self._is_beyond(beyond_clear, n))

    def _is_beyond(self, beyond: int, n: int) -> bool:
        """Is the quantile, when so many of n are?"""
        place = -(-self.percent * n // 100)  # in ascending order, counted from 1
        return n > 0 and (beyond >= place if self.below else beyond > n - place)
