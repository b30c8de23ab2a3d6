"""How few successes are too few: exact tables of critical counts (docs/guide/alerts.md).

A dip is called when as few successes as were counted had, at the objective, less than the wanted probability
(one-sided exact binomial test, Clopper and Pearson 1934). All of it is integer arithmetic: live, replayed and
recomputed decisions compare the same two integers.
"""

from dataclasses import dataclass, field
from fractions import Fraction

# Tables are made with so many bits; what is as near to the probability as the second number says is counted
# exactly. Each of n steps may be wrong by a unit in the last place, which is 2^-256 of the probability.
PRECISION, DOUBT = 256, 64


def critical_count(n: int, target: Fraction, p_value: Fraction) -> int:
    """Greatest k with P(X <= k) < p_value for X ~ Binomial(n, target); -1 where not even 0 is too few.

    n counts contacts, 0 < target < 1 is the share that is to succeed.
    """
    a, b = target.numerator, target.denominator
    miss = b - a
    # P(X <= k) is the sum of C(n, j) a^j miss^(n-j) / b^n; times b^n all of it is whole.
    term, tail = miss**n, 0
    limit = p_value * b**n
    for k in range(n + 1):
        tail += term
        if tail >= limit:
            return k - 1
        term = term * (n - k) * a // ((k + 1) * miss)
    return n


@dataclass(slots=True)
class CriticalCounts:
    """Critical counts of one objective. The table grows to the greatest n asked for, count by count.

    One contact more makes the critical count greater by 0 or 1. So of the least count that is not too few its
    own probability and that of as few are enough to go on.
    """

    target: Fraction
    p_value: Fraction
    _known: list[int] = field(default_factory=lambda: [-1])
    _own: int = 0  # P(X = _known[-1] + 1), in parts of which `_limit` are p_value
    _tail: int = 0  # P(X <= _known[-1] + 1)
    _limit: int = 0

    def __post_init__(self) -> None:
        self._limit = 1 << PRECISION
        if self.p_value:
            self._own = self._tail = int(self._limit / self.p_value)

    def of(self, n: int) -> int:
        """The greatest count of successes among n that is too few, -1 if none is."""
        while len(self._known) <= n:
            self._grow()
        return self._known[n]

    def _grow(self) -> None:
        """The count of one contact more."""
        if not self.p_value:
            self._known.append(-1)
            return
        n, least = len(self._known), self._known[-1] + 1
        a, b = self.target.numerator, self.target.denominator
        self._tail -= self._own * a // b
        self._own = self._own * n * (b - a) // ((n - least) * b)
        if abs(self._tail - self._limit) <= self._limit >> DOUBT:
            is_too_few = critical_count(n, self.target, self.p_value) >= least
        else:
            is_too_few = self._tail < self._limit
        if is_too_few:
            self._own = self._own * (n - least) * a // ((least + 1) * (b - a))
            self._tail += self._own
            least += 1
        self._known.append(least - 1)

    def too_few(self, successes: int, n: int) -> bool:
        """Would chance alone give so few successes of n less often than p_value?"""
        return n > 0 and successes <= self.of(n)
