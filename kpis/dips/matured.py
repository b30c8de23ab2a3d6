"""First contact resolution without flattery: cohorts of the same age, each with its floor.

Counted now, the last days look better than they are, as their customers have not had the time to come back.
So only contacts are looked at whose window has passed: of one day, of three, of seven.
"""

from dataclasses import dataclass, field

from kpis.dips.critical import CriticalCounts
from kpis.dips.detector import Parts
from kpis.dips.ladder import Look, Objective, counts_of, look
from schemas.time_units import DAY_MS


@dataclass(frozen=True, slots=True)
class Cohort:
    """Contacts of an age in days, and what is wanted of them."""

    days: int
    objective: Objective
    counts: CriticalCounts = field(compare=False, repr=False)


def cohort(days: int, objective: Objective) -> Cohort:
    """A cohort with its table of critical counts."""
    return Cohort(days, objective, counts_of(objective))


@dataclass(frozen=True, slots=True)
class Matured:
    """`type: matured`: any cohort is off its floor. The parts are the series of the cohorts, in order."""

    cohorts: tuple[Cohort, ...]

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """From the longest window of the oldest cohort on."""
        reach = max(each.days * DAY_MS + each.objective.windows_ms[-1] for each in self.cohorts)
        return [(begin - reach, end)]

    def quiet(self, parts: Parts, at: int, restart: int) -> bool:
        """Has nothing ripened within the shortest window of the youngest?"""
        youngest, series = self.cohorts[0], parts[0]
        end = at - youngest.days * DAY_MS
        return series.since(end - youngest.objective.windows_ms[0], end)[1] == 0

    def came(self, parts: Parts, at: int) -> bool:
        """Has anything ripened within the longest window of the youngest?"""
        youngest = self.cohorts[0]
        end = at - youngest.days * DAY_MS
        return parts[0].first(end - youngest.objective.windows_ms[-1], end) is not None

    def is_fine(self, parts: Parts, at: int, restart: int) -> bool:
        """Only a look can tell."""
        return False

    def look(self, parts: Parts, at: int, restart: int) -> Look:
        """The youngest cohort that is off; else whether any still is off by its newest contacts."""
        looks = [
            look(series, at - each.days * DAY_MS, restart - each.days * DAY_MS, each.objective, each.counts)
            for each, series in zip(self.cohorts, parts, strict=True)
        ]
        return next((seen for seen in looks if seen.breach), looks[-1])
