"""A value beyond a limit: for gauges, means and counts, where there is no binomial test."""

from dataclasses import dataclass
from fractions import Fraction

from kpis.dips.detector import Parts
from kpis.dips.ladder import Look, beyond
from schemas.time_units import MINUTE_MS


@dataclass(frozen=True, slots=True)
class BeyondLimit:
    """`type: threshold`. It is over beyond `clear`, on the good side of `limit`, so that it does not flap.

    `is_count`: the sum over the window is compared, not a quotient. `is_gauge`: the newest minute is, and no
    minute of it means 0.
    """

    limit: Fraction
    clear: Fraction
    below: bool
    window_ms: int
    min_samples: int
    is_count: bool = False
    is_gauge: bool = False

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The window."""
        return [(begin - self.window_ms, end)]

    def quiet(self, parts: Parts, at: int, restart: int) -> bool:
        """Was too little counted to judge by? A gauge or a count is 0 then, which is a value."""
        if self.is_count or self.is_gauge:
            return False
        return parts[0].since(at - self.window_ms, at)[1] < self.min_samples

    def came(self, parts: Parts, at: int) -> bool:
        """Within the window."""
        return parts[0].first(at - self.window_ms, at) is not None

    def is_fine(self, parts: Parts, at: int, restart: int) -> bool:
        """Where nobody came in the window a count does not begin to be too low: that is for `absence`."""
        return parts[0].since(at - self.window_ms, at)[1] == 0

    def look(self, parts: Parts, at: int, restart: int) -> Look:
        """The value of the window, restarts or not: it is what it is."""
        window = MINUTE_MS if self.is_gauge else self.window_ms
        num, n = parts[0].since(at - window, at)
        den = 1 if self.is_count or self.is_gauge else n
        off = beyond(num, den, self.limit, self.below)
        still = off or beyond(num, den, self.clear, self.below)
        return Look(n, window if off else 0, num, n, still)
