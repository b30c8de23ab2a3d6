"""KPIs that are no quotient of sums: what each is a figure of, as a type. Readers choose their way by it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

# Of single legs: the wait of answered ones, the time in queue of all offered ones, the handle time, and the longest
# single hold of those that were held. The first two are booked when a leg entered its queue, the others when the
# agent was done. Each reader has a table by these names; a test holds that none is missing there.
Duration = Literal["wait_ms", "queue_ms", "handle_ms", "hold_max_ms"]


@dataclass(frozen=True, slots=True)
class Quantile:
    """The lower quantile of a duration: the least value that `percent` of the legs do not exceed."""

    duration: Duration
    percent: int

    def __post_init__(self) -> None:
        if not 1 <= self.percent <= 100:
            raise ValueError(f"a quantile is of 1 to 100 percent, not of {self.percent}")


@dataclass(frozen=True, slots=True)
class Longest:
    """The greatest value of a duration."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class PeakHour:
    """The four quarter-hours in a row in which most contacts started."""


@dataclass(frozen=True, slots=True)
class LongestWaitNow:
    """The greatest age of a leg that waits at the moment asked about."""


Figure: TypeAlias = Quantile | Longest | PeakHour | LongestWaitNow


def unknown_figure(figure: object, reader: str) -> TypeError:
    """The error of a reader that has no case for a figure."""
    return TypeError(f"{reader} does not know the figure {figure!r}: give its type a case there")
