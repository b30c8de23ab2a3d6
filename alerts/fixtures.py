"""Tests of rules: series of counts, and the episodes that are expected of them. A closed file."""

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from alerts.time_intervals import known_zone
from alerts.words import Closed, Duration, Label, Length, Text, Word, duration_ms

# 9/10x60: sixty minutes with 9 of 10 in each; 5x60: a count; 90s/3: a time; 60s,90s: times; _x30: nothing.
AMOUNT = r"\d+(?:ms|[smh])?"
SPELL = re.compile(rf"(?:(_)|({AMOUNT}(?:,{AMOUNT})*)(?:/(\d+))?)(?:x(\d{{1,7}}))?")
SPELLS_MAX = 600_000  # more than a year of minutes


class Counted(NamedTuple):
    """What was counted in a spell, and of how many where that is written; else `single`, as durations are."""

    amount: int
    of: int | None
    single: tuple[int, ...] = ()


Counts = Counted | None  # None where nothing was counted


def counts(text: object) -> tuple[Counts, ...]:
    """Counts of one spell after the other. Raises ValueError."""
    found: list[Counts] = []
    for part in str(text).split():
        match = SPELL.fullmatch(part)
        if match is None:
            raise ValueError(f"{part} is no count: write 9/10x60, 5x60, 90s/3, 60s,90s or _x30")
        nothing, amounts, of, times = match.groups()
        one = None if nothing else counted(tuple(value(amount) for amount in amounts.split(",")), of)
        if len(found) + int(times or 1) > SPELLS_MAX:
            raise ValueError(f"more than {SPELLS_MAX:,} spells; write every: 1h or 1d")
        found += [one] * int(times or 1)
    if not found:
        raise ValueError("write some counts, such as 9/10x60")
    return tuple(found)


def counted(amounts: tuple[int, ...], of: str | None) -> Counted:
    """An amount of so many; else single ones, of which there may be several."""
    if of is None:
        return Counted(sum(amounts), len(amounts) if len(amounts) > 1 else None, amounts)
    if len(amounts) > 1:
        raise ValueError("write single durations, such as 60s,90s, or their sum, such as 150s/2")
    return Counted(amounts[0], int(of))


def value(text: str) -> int:
    """A count, or a time in ms."""
    return int(text) if text.isdigit() else duration_ms(text)


def instant(given: object) -> int:
    """UTC ms of a time with a zone."""
    try:
        found = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    except ValueError:
        raise ValueError("write a time such as 2026-01-05T09:00Z") from None
    if found.tzinfo is None and not isinstance(given, datetime):
        raise ValueError("write the time with its zone, such as 2026-01-05T09:00Z")
    ms = round(found.timestamp() * 1000)
    if ms % 60_000:
        raise ValueError("a test begins at a whole minute")
    return ms


class InputSeries(Closed):
    """Counts of a KPI in one queue, spell by spell, from the begin on. `days` is for matured rules."""

    kpi: str
    channel: str = "voice"
    queue: str = ""
    dimensions: dict[Label, str] = Field(default_factory=dict)  # of one's own, that the events carry
    counts: Annotated[tuple[Counts, ...], BeforeValidator(counts)]
    every: Length = 60_000
    days: Annotated[int | None, Field(ge=1, le=60)] = None


class Expected(Closed):
    """An episode. What is not written may be anything; times are since the begin of the test."""

    alert: Word
    labels: dict[Word, str] = Field(default_factory=dict)
    fired: Duration | None = None
    ended: Duration | None = None
    ending: Annotated[str | None, Field(pattern="^(resolved|expired|firing)$")] = None
    value: str | None = None
    n: int | None = None


class Moment(Closed):
    """What fires at a time, and nothing else does."""

    time: Duration
    firing: tuple[Expected, ...]


class Trial(Closed):
    """One test. `expect` is every episode there is, `at` what fires at some times."""

    name: Text
    begin: Annotated[int, BeforeValidator(instant)] = 1_767_571_200_000  # Monday 2026-01-05T00:00Z
    from_: Annotated[Duration, Field(alias="from")] = 0  # the series before it are history
    until: Length | None = None
    series: Annotated[tuple[InputSeries, ...], Field(min_length=1, max_length=500)]
    expect: tuple[Expected, ...] | None = None
    at: tuple[Moment, ...] = ()

    @model_validator(mode="after")
    def _expects_something(self) -> "Trial":
        if self.expect is None and not self.at:
            raise ValueError("write what is expected: `expect:` with episodes, [] for none, or `at:`")
        return self

    @property
    def end(self) -> int:
        """How long it lasts: as written, else as long as its series."""
        return self.until or max(len(each.counts) * each.every for each in self.series)


class TrialFile(Closed):
    """A file of tests. `rules` is a path beside it; without it the rules in use are tried."""

    version: Annotated[int, Field(ge=1, le=1)]
    rules: Path | None = None
    timezone: Annotated[str, AfterValidator(known_zone)] = "UTC"
    tests: Annotated[tuple[Trial, ...], Field(min_length=1)]
