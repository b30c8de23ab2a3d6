"""What an alert rule says: models of the rule file, closed, with words close to Prometheus."""

import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
DURATION = re.compile(r"(\d+)(ms|[smhdw])")


def duration_ms(text: object) -> int:
    """Milliseconds of a duration such as 2m, 1h30m or 7d."""
    if isinstance(text, str) and re.fullmatch(rf"(?:{DURATION.pattern})+", text):
        return sum(int(number) * UNIT_MS[unit] for number, unit in DURATION.findall(text))
    raise ValueError("write a duration with its unit, such as 90s, 15m, 4h or 7d")


def share(given: object) -> Fraction:
    """A share of contacts between 0 and 1, kept exactly as it is written."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise ValueError("write a share such as 0.8")
    try:
        value = Fraction(str(given))
    except ValueError:
        raise ValueError("write a share such as 0.8") from None
    if not 0 < value < 1:
        raise ValueError("a share lies between 0 and 1, both excluded: 80 % is 0.8")
    return value


def ascending(windows: tuple[int, ...]) -> tuple[int, ...]:
    """Windows from the shortest to the longest."""
    if list(windows) != sorted(set(windows)):
        raise ValueError("write each window once, the shortest first")
    return windows


Duration = Annotated[int, BeforeValidator(duration_ms)]
Share = Annotated[Fraction, BeforeValidator(share)]
Windows = Annotated[tuple[Duration, ...], Field(min_length=1, max_length=12), AfterValidator(ascending)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Text = Annotated[str, Field(max_length=1_000)]
Compare = Literal["<", ">"]


class Closed(BaseModel):
    """Frozen, and a word that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class ObjectiveWhen(Closed):
    """The share is off its target by more than chance, over any of several windows, and still is."""

    type: Literal["objective"]
    op: Compare
    target: Share
    p_value: Share = Fraction(1, 1000)
    windows: Windows = (900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000)
    min_samples: Annotated[int, Field(ge=1, le=100_000)] = 5
    fresh_min: Annotated[int, Field(ge=1, le=100_000)] = 10


When = ObjectiveWhen


class Rule(Closed):
    """One alert rule. `by` are the labels it is evaluated for, `where` restricts their values."""

    alert: Word
    kpi: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,99}$")]
    by: tuple[Literal["channel", "queue"], ...] = ("channel", "queue")
    where: dict[Literal["channel", "queue"], tuple[str, ...]] = Field(default_factory=dict)
    when: When
    for_: Annotated[Duration, Field(alias="for")] = 120_000
    keep_firing_for: Duration = 900_000
    settle: Duration = 60_000
    max_age: Duration = 1_800_000
    labels: dict[Word, Text] = Field(default_factory=dict)
    annotations: dict[Word, Text] = Field(default_factory=dict)


class Group(Closed):
    """Rules with an owner."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    interval: Duration = 60_000
    labels: dict[Word, Text] = Field(default_factory=dict)
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]


class RuleFile(Closed):
    """A file of alert rules."""

    version: Literal[1]
    groups: Annotated[tuple[Group, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            raise ValueError("a rule file begins with `version: 1` and `groups:`")
        return given
