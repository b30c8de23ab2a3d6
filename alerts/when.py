"""When a rule fires: one model per rule type."""

from datetime import date
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from alerts.words import Closed, Compare, Length, Limit, Query, Share, Slack, Windows, by_type
from schemas.time_units import DAY_MS, HOUR_MS

# Of a share: nine windows find a dip minutes sooner than five, at as many false alarms.
LADDER_MS = tuple(minutes * 60_000 for minutes in (15, 20, 30, 45, 60, 90, 120, 180, 240))
FRESH_MIN = 15  # newest contacts that are to be off target themselves
Samples = Annotated[int, Field(ge=1, le=100_000)]


class ObjectiveWhen(Closed):
    """The share is off its target by more than chance, over any of several windows, and still is."""

    type: Literal["objective"]
    op: Compare
    target: Share
    usual: bool = (
        False  # where the bad hours of the weeks before are worse than the target, a dip is below them
    )
    p_value: Share | None = None
    windows: Windows = LADDER_MS
    min_samples: Samples = 5
    fresh_min: Samples = FRESH_MIN
    slack: Slack | None = None


class LogMeanWhen(Closed):
    """A mean of durations is off its target by more than chance, in any of several windows, and still is."""

    type: Literal["log_mean"]
    op: Compare
    target: Annotated[Limit, Field(gt=0)]
    p_value: Share | None = None
    windows: Windows = (900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000)
    min_samples: Samples = 10
    fresh_min: Samples = 10


class ThresholdWhen(Closed):
    """A gauge, mean, count or share is beyond a limit. It is over once it has come back as far as `clear`."""

    type: Literal["threshold"]
    op: Compare
    limit: Limit
    clear: Limit | None = None
    window: Length = 900_000
    min_samples: Samples = 10

    @property
    def over_at(self) -> Fraction:
        """How far it has to come back: to `clear` where that is written, else to the limit."""
        return self.limit if self.clear is None else self.clear

    @model_validator(mode="after")
    def _clear_is_better(self) -> "ThresholdWhen":
        if self.over_at < self.limit if self.op == "<" else self.over_at > self.limit:
            raise ValueError(
                f"clear lies on the good side of limit: with op {self.op} it is no worse than it"
            )
        return self


class AbsenceWhen(Closed):
    """Nobody comes, where in the same hours of earlier weeks more than `expected` came."""

    type: Literal["absence"]
    expected: Annotated[int, Field(ge=3, le=10_000)] = 12
    within: Length = 4 * HOUR_MS
    weeks: Annotated[int, Field(ge=1, le=8)] = 8
    at_least_weeks: Annotated[int, Field(ge=1, le=8)] = 2
    holidays: tuple[date, ...] = ()


class SeasonalWhen(Closed):
    """So many or so few come, against the same hours of earlier weeks, as chance does not explain."""

    type: Literal["seasonal"]
    op: Compare
    p_value: Share = Fraction(1, 100_000)
    windows: Windows = (1_800_000, HOUR_MS, 2 * HOUR_MS)
    weeks: Annotated[int, Field(ge=2, le=8)] = 8
    at_least_weeks: Annotated[int, Field(ge=2, le=8)] = 3
    holidays: tuple[date, ...] = ()


class MaturedWhen(Closed):
    """First contact resolution of contacts of the same age in days, each age with its own target."""

    type: Literal["matured"]
    op: Compare
    targets: Annotated[dict[Annotated[int, Field(ge=1, le=60)], Share], Field(min_length=1, max_length=5)]
    p_value: Share | None = None
    windows: Windows = (DAY_MS, 3 * DAY_MS, 7 * DAY_MS)
    min_samples: Samples = 20
    fresh_min: Samples = 20


class BurnPair(Closed):
    """So many times the allowed failures over a long window, and still over a short one."""

    factor: Annotated[Limit, Field(gt=0)]
    long: Length
    short: Length


class BurnRateWhen(Closed):
    """The budget of failures of a month burns too fast; for tickets."""

    type: Literal["burn_rate"]
    op: Compare
    target: Share
    burns: Annotated[tuple[BurnPair, ...], Field(min_length=1, max_length=5)]
    min_samples: Samples = 20

    @model_validator(mode="after")
    def _can_be_reached(self) -> "BurnRateWhen":
        allowed = 1 - self.target if self.op == "<" else self.target
        most = 1 / allowed
        for pair in self.burns:
            if pair.factor >= most:
                raise ValueError(
                    f"a factor of {float(pair.factor):g} can never be reached: with this target it is "
                    f"{float(most):.2f} when all fail"
                )
            if pair.short > pair.long:
                raise ValueError("long is the longer window of a pair")
        return self


class SqlWhen(Closed):
    """What a query of one's own finds is beyond a limit, on ClickHouse as it stands then; for tickets.

    The query returns a column for each dimension in `by`, `value` and, for shares and means, `n`: whole
    numbers, as the figure is `value`, or `value` divided by `n`. A row is a label set.
    """

    type: Literal["sql"]
    query: Query
    op: Compare
    limit: Limit


When = Annotated[
    ObjectiveWhen
    | LogMeanWhen
    | ThresholdWhen
    | AbsenceWhen
    | SeasonalWhen
    | MaturedWhen
    | BurnRateWhen
    | SqlWhen,
    Field(discriminator="type"),
]
TYPES = by_type(When)
