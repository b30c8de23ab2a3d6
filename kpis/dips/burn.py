"""How fast the error budget of an objective burns: for tickets about a month, not for pages."""

from dataclasses import dataclass
from fractions import Fraction

from kpis.dips.detector import Parts
from kpis.dips.ladder import Look


@dataclass(frozen=True, slots=True)
class Burn:
    """So many times the allowed share of failures, over a long window and still over a short one."""

    factor: Fraction
    long_ms: int
    short_ms: int


def burns(successes: int, n: int, target: Fraction, factor: Fraction) -> bool:
    """Is the share of failures at least factor times what the target allows?"""
    allowed = factor * (1 - target)
    return (n - successes) * allowed.denominator >= n * allowed.numerator


@dataclass(frozen=True, slots=True)
class BudgetBurn:
    """`type: burn_rate`. No factor can be reached that is 1 / (1 - target) or more: all would have failed."""

    target: Fraction
    below: bool
    burns: tuple[Burn, ...]
    min_samples: int

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The longest window."""
        return [(begin - max(burn.long_ms for burn in self.burns), end)]

    def quiet(self, parts: Parts, at: int, restart: int) -> bool:
        """Has nobody called within the shortest window?"""
        return parts[0].since(at - min(burn.short_ms for burn in self.burns), at)[1] == 0

    def came(self, parts: Parts, at: int) -> bool:
        """Within the longest window."""
        return parts[0].first(at - max(burn.long_ms for burn in self.burns), at) is not None

    def is_fine(self, parts: Parts, at: int, restart: int) -> bool:
        """Only a look can tell."""
        return False

    def look(self, parts: Parts, at: int, restart: int) -> Look:
        """The first pair of windows that burns."""
        target = self.target if self.below else 1 - self.target
        counted = 0
        for burn in self.burns:
            shares = [self._good(parts, at - ms, at) for ms in (burn.long_ms, burn.short_ms)]
            (wins, counted), _ = shares
            enough = counted >= self.min_samples and all(n for _, n in shares)
            if enough and all(burns(good, n, target, burn.factor) for good, n in shares):
                successes = wins if self.below else counted - wins
                return Look(counted, burn.long_ms, successes, counted, True)
        return Look(counted, 0, 0, counted, False)

    def _good(self, parts: Parts, begin: int, end: int) -> tuple[int, int]:
        successes, n = parts[0].since(begin, end)
        return (successes if self.below else n - successes), n
