"""How few successes are too few: exact tables of critical counts (docs/guide/alerts.md).

A dip is called when as few successes as were counted had, at the objective, less than the wanted probability
(one-sided exact binomial test, Clopper and Pearson 1934). All of it is integer arithmetic: live, replayed and
recomputed decisions compare the same two integers.
"""

from dataclasses import dataclass, field
from fractions import Fraction


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
    """Critical counts of one objective, each found when first asked for."""

    target: Fraction
    p_value: Fraction
    _known: dict[int, int] = field(default_factory=dict)

    def of(self, n: int) -> int:
        """The greatest count of successes among n that is too few, -1 if none is."""
        found = self._known.get(n)
        if found is None:
            found = self._known[n] = critical_count(n, self.target, self.p_value)
        return found

    def too_few(self, successes: int, n: int) -> bool:
        """Would chance alone give so few successes of n less often than p_value?"""
        return n > 0 and successes <= self.of(n)
