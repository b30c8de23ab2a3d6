"""What a rule type is: something that looks at minutes and says whether the KPI is off."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kpis.dips.critical import CriticalCounts
from kpis.dips.ladder import Look, Objective, Series, counts_of, is_off_now, look

Parts = Sequence[Series]  # what a detector looks at: for most one series, for cohorts one per age


class Detector(Protocol):
    """Looks at a label set at a moment. A pure function of the minutes before it, and of the last restart."""

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Which minutes it wants in order to look at each moment of (begin, end]."""

    def quiet(self, parts: Parts, at: int, restart: int) -> bool:
        """Is there nothing to judge by? Then all clocks stand still."""

    def came(self, parts: Parts, at: int) -> bool:
        """Has anybody come as far back as it looks? Only of them can be said that nobody comes any more."""

    def is_fine(self, parts: Parts, at: int, restart: int) -> bool:
        """A cheap look first: neither in breach nor off target? False where only a look can tell."""

    def look(self, parts: Parts, at: int, restart: int) -> Look:
        """Is it off, by how much, and on how many contacts?"""


@dataclass(frozen=True, slots=True)
class OffObjective:
    """`type: objective`: a share that is off its target by more than chance, over any of several windows."""

    objective: Objective
    counts: CriticalCounts = field(compare=False, repr=False)

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """The longest window."""
        return [(begin - self.objective.windows_ms[-1], end)]

    def quiet(self, parts: Parts, at: int, restart: int) -> bool:
        """Has nobody called within the shortest window?"""
        return parts[0].first(at - self.objective.windows_ms[0], at) is None

    def came(self, parts: Parts, at: int) -> bool:
        """Within the longest window."""
        return parts[0].first(at - self.objective.windows_ms[-1], at) is not None

    def is_fine(self, parts: Parts, at: int, restart: int) -> bool:
        """Are the newest contacts on target?"""
        return not is_off_now(parts[0], at, restart, self.objective)

    def look(self, parts: Parts, at: int, restart: int) -> Look:
        """By the exact binomial test."""
        return look(parts[0], at, restart, self.objective, self.counts)


def off_objective(objective: Objective) -> OffObjective:
    """The detector of an objective."""
    return OffObjective(objective, counts_of(objective))
