"""How many come, against the same hours of earlier weeks: too few or too many for chance and for usual days.

With S contacts in W earlier weeks, the next count is negative binomial: what a Poisson rate learned from them
predicts (Gelman et al., Bayesian Data Analysis, 3rd ed., 2.6), but never narrower than days differ among
themselves. All of it is integer arithmetic.
"""

from dataclasses import dataclass, field
from fractions import Fraction

from kpis.dips.detector import Parts
from kpis.dips.ladder import Look
from kpis.dips.weeks import Weeks

# Days of the same kind differ by 8 % (standard deviation) beyond chance: 1 / 0.08^2.
SHAPE_MAX = 156


def too_few(seen: int, total: int, weeks: int, p_value: Fraction) -> bool:
    """Is P(X <= seen) < p_value, after `total` in so many weeks?"""
    return seen * weeks < total and tail_is_less(seen, total, weeks, p_value)


def too_many(seen: int, total: int, weeks: int, p_value: Fraction) -> bool:
    """Is P(X >= seen) < p_value, that is P(X <= seen - 1) > 1 - p_value?"""
    if seen * weeks <= total:
        return False
    return not tail_is_less(seen - 1, total, weeks, 1 - p_value, strictly=False)


def tail_is_less(seen: int, total: int, weeks: int, p: Fraction, strictly: bool = True) -> bool:
    """Is P(X <= seen) < p (or <= p) for X negative binomial with mean about total / weeks?

    Shape r = min(total + 1, SHAPE_MAX), mean (total + 1) / weeks: success a / (a + b) with a = r * weeks and
    b = total + 1. P(X = j) = C(r + j - 1, j) a^r b^j / (a + b)^(r + j).
    """
    shape = min(total + 1, SHAPE_MAX)
    a, b = shape * weeks, total + 1
    whole = a + b
    # Times whole^(r + seen) all is integer; each term follows from the one before.
    term = a**shape * whole**seen
    limit, tail = p * whole ** (shape + seen), 0
    for j in range(seen + 1):
        tail += term
        if tail > limit or (strictly and tail == limit):
            return False
        term = term * (shape + j) * b // ((j + 1) * whole)
    return True


@dataclass(frozen=True, slots=True)
class Unusual:
    """`type: seasonal`: the volume of any window is not that of the same hours of earlier weeks."""

    weeks: Weeks
    below: bool
    p_value: Fraction
    windows_ms: tuple[int, ...]
    _known: dict[tuple[int, int, int], bool] = field(default_factory=dict, compare=False, repr=False)

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The same hours of all weeks."""
        return self.weeks.spans(begin, end, self._reach_ms)

    def quiet(self, parts: Parts, at: int, restart: int) -> bool:
        """A holiday is not judged."""
        return self.weeks.is_holiday(at)

    def came(self, parts: Parts, at: int) -> bool:
        """It is about those who came in earlier weeks."""
        return True

    def is_fine(self, parts: Parts, at: int, restart: int) -> bool:
        """Only a look can tell."""
        return False

    def look(self, parts: Parts, at: int, restart: int) -> Look:
        """The shortest window that is unusual. `successes` is what came, `n` what was to be expected."""
        series, seen = parts[0], 0
        every_end, first = self.weeks.known_ends(at, series, self._reach_ms)
        for window in self.windows_ms:
            ends = [end for end in every_end if end - window > first]
            if len(ends) < self.weeks.at_least:
                break
            seen = series.since(at - window, at)[1]
            total = sum(series.since(end - window, end)[1] for end in ends)
            if self._off(seen, total, len(ends)):
                return Look(seen, window, seen, total // len(ends), True)
        return Look(seen, 0, seen, 0, False)

    @property
    def _reach_ms(self) -> int:
        """Twice the longest window: what came before a window shows that all of it is known."""
        return 2 * self.windows_ms[-1]

    def _off(self, seen: int, total: int, weeks: int) -> bool:
        key = (seen, total, weeks)
        found = self._known.get(key)
        if found is None:
            test = too_few if self.below else too_many
            if len(self._known) > 50_000:
                self._known.clear()
            found = self._known[key] = test(seen, total, weeks, self.p_value)
        return found
