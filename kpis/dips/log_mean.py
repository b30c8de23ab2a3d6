"""A mean of durations judged by their logarithms: they are skewed, and one very long call is no rise.

Of log-normal durations with mean m and variance v of the logarithms the mean is exp(m + v / 2), and the
standard error of its exponent sqrt(v / n + v^2 / (2 (n - 1))) (Cox's method: Zhou and Gao, Statistics in
Medicine 16, 1997). Logarithms are whole numbers, 1024 to a doubling, so that their sums are exact; what is
compared are fractions.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist

from kpis.dips.detector import Parts
from kpis.dips.ladder import Look
from schemas.time_units import MINUTE_MS

PER_DOUBLING = 1024
LEAST_MS = 1_000  # shorter ones count as a second: nought has no logarithm
UNIT = Fraction(67_690_154, 10**11)  # ln(2) / 1024: what a unit is of a natural logarithm


def units(duration_ms: Fraction) -> int:
    """The logarithm of a target."""
    return round(PER_DOUBLING * math.log2(max(duration_ms, Fraction(LEAST_MS))))


def unit_of(duration_ms: int) -> int:
    """The logarithm of a duration, as SQL takes it (reports/fact_minutes.py)."""
    return math.floor(PER_DOUBLING * math.log2(max(duration_ms, LEAST_MS)))


def z_squared(p_value: Fraction) -> Fraction:
    """Square of the quantile of the normal distribution that is exceeded with this probability."""
    return Fraction(round(NormalDist().inv_cdf(1 - float(p_value)) * 10_000), 10_000) ** 2


@dataclass(frozen=True, slots=True)
class Logs:
    """Sums over n durations: of their logarithms, and of the squares of these."""

    total: int
    squares: int
    n: int

    @property
    def variance(self) -> Fraction:
        """Of the logarithms; of at least two."""
        return Fraction(self.n * self.squares - self.total**2, self.n * (self.n - 1))

    def above(self, target: int) -> Fraction:
        """By how much the logarithm of the mean is above that of a target."""
        return Fraction(self.total, self.n) + UNIT * self.variance / 2 - target

    def error_squared(self) -> Fraction:
        """Square of the standard error of it."""
        variance = self.variance
        return variance / self.n + (UNIT * variance) ** 2 / (2 * (self.n - 1))

    def mean_ms(self) -> float:
        """The mean in milliseconds, for people."""
        unit = float(UNIT)
        return math.exp(unit * self.total / self.n + unit**2 * float(self.variance) / 2)


@dataclass(frozen=True, slots=True)
class OffMean:
    """`type: log_mean`. The parts are the sums of the logarithms and of their squares."""

    target: int
    below: bool
    z_squared: Fraction
    windows_ms: tuple[int, ...]
    min_samples: int
    fresh_min: int

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The longest window."""
        return [(begin - self.windows_ms[-1], end)]

    def quiet(self, parts: Parts, at: int, restart: int) -> bool:
        """Was nothing over within the shortest window?"""
        return parts[0].since(at - self.windows_ms[0], at)[1] == 0

    def came(self, parts: Parts, at: int) -> bool:
        """Within the longest window."""
        return parts[0].first(at - self.windows_ms[-1], at) is not None

    def is_fine(self, parts: Parts, at: int, restart: int) -> bool:
        """Are the newest durations themselves on target?"""
        begin = max(at - self.windows_ms[-1], restart)
        total, n = parts[0].newest(self.fresh_min, begin, at)
        if n < max(self.fresh_min, 2):
            return True
        return self._off(Logs(total, parts[1].newest(self.fresh_min, begin, at)[0], n)) <= 0

    def look(self, parts: Parts, at: int, restart: int) -> Look:
        """The shortest window whose mean is off by more than chance."""
        fresh_off, n = not self.is_fine(parts, at, restart), 0
        for window in self.windows_ms:
            begin = max(at - window, restart)
            total, n = parts[0].since(begin, at)
            found = Logs(total, parts[1].since(begin, at)[0], n)
            if n >= max(self.min_samples, 2) and self._is_significant(found):
                return Look(n, window, int(found.mean_ms() * n), n, fresh_off)
            if at - window <= restart - MINUTE_MS:
                break  # longer windows hold no more
        return Look(n, 0, 0, n, fresh_off)

    def _off(self, found: Logs) -> Fraction:
        above = found.above(self.target)
        return -above if self.below else above

    def _is_significant(self, found: Logs) -> bool:
        off = self._off(found)
        return off > 0 and off**2 > self.z_squared * found.error_squared()
