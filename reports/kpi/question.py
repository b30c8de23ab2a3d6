"""What is asked of the KPIs, and which of them answer it."""

from dataclasses import dataclass
from difflib import get_close_matches

from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.figure import PeakHour
from kpis.catalogue.kpi import Kpi
from kpis.rules import Rules
from sql.kpi_queries import (
    AGENT_DIMENSIONS,
    LEG_DIMENSIONS,
    OWN_DIMENSION,
    STATE_DIMENSIONS,
    WINDOW_DIMENSIONS,
)


@dataclass(frozen=True, slots=True)
class Question:
    """Which KPIs, of [from_ms, to_ms), per period, by dimensions, from the stream's tables or recomputed.

    `as_of_ms` is the moment of live KPIs, and when repeat contacts are judged final; None: the end. Without
    names the KPIs are all that make sense, those called variants only where `variants` says so.
    """

    from_ms: int
    to_ms: int
    every: str = "all"
    by: tuple[str, ...] = ()
    kpis: tuple[str, ...] = ()
    from_oracle: bool = False
    zone: str = "UTC"
    as_of_ms: int | None = None
    variants: bool = False

    @property
    def now_ms(self) -> int:
        """The moment at which what is not final is looked at."""
        return self.to_ms if self.as_of_ms is None else self.as_of_ms


class CannotAnswer(ValueError):
    """The question asks for a KPI or dimension that does not exist or does not go together."""


def from_windows(question: Question) -> bool:
    """Do the windows have the dimensions asked for? Otherwise the answer is made of facts."""
    return set(question.by) <= set(WINDOW_DIMENSIONS)


def own_dimensions(question: Question) -> list[str]:
    """Dimensions of one's own that are asked for: facts alone have them."""
    return [name for name in question.by if name not in LEG_DIMENSIONS]


def known_kpi(name: str, known: dict[str, Kpi]) -> Kpi:
    """The KPI of that id. Raises CannotAnswer with what was probably meant."""
    if name in known:
        return known[name]
    close = get_close_matches(name, known, n=3)
    guess = f"did you mean {' or '.join(close)}? " if close else ""
    plain = ", ".join(kpi.id for kpi in known.values() if not kpi.variant_of)
    raise CannotAnswer(f"no KPI {name!r}; {guess}There are: {plain}; and their variants, see --variants")


def obstacle(kpi: Kpi, question: Question) -> str:
    """Why a KPI has no answer to this question; "" where it has one."""
    known = STATE_DIMENSIONS if kpi.table == "states" else AGENT_DIMENSIONS
    foreign = [name for name in question.by if name not in known]
    if kpi.table in ("agents", "states") and foreign:
        return f"{kpi.id} is a KPI of agents: by {' and '.join(known)} only, not by {foreign[0]}"
    if kpi.table in ("agents", "states") and question.every == "1m":
        return f"{kpi.id} is kept by quarter-hours: ask for --every 15m or longer"
    if kpi.is_state and question.every != "all":
        return f"{kpi.id} is the state at one moment (--as-of), not of a period: ask for it with --every all"
    return ""


def no_dimension(name: str) -> str:
    """What is said of a dimension that nothing has."""
    return f"no dimension {name!r} here; there are: {', '.join(LEG_DIMENSIONS)}, and those that events carry"


def chosen(question: Question, rules: Rules) -> list[Kpi]:
    """The KPIs asked for; all that make sense here if none is named. Raises CannotAnswer."""
    known = every_kpi(rules)
    odd = [name for name in own_dimensions(question) if not OWN_DIMENSION.fullmatch(name)]
    if odd:
        raise CannotAnswer(no_dimension(odd[0]))
    named = [known_kpi(name, known) for name in dict.fromkeys(question.kpis)]
    reasons = [reason for kpi in named if (reason := obstacle(kpi, question))]
    if reasons:
        raise CannotAnswer(reasons[0])
    if named:
        return named
    hourless = question.every in ("1m", "15m", "30m")
    return [
        kpi
        for kpi in known.values()
        if (question.variants or not kpi.variant_of)
        and not obstacle(kpi, question)
        and not (hourless and isinstance(kpi.figure, PeakHour))
    ]
