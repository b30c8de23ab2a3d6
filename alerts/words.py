"""The words of a rule file: durations, shares, limits, windows; closed models."""

import re
from fractions import Fraction
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from deploy.local.clickhouse.tokens import tokens

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
    except (ValueError, ZeroDivisionError):
        raise ValueError("write a share such as 0.8") from None
    if not 0 < value < 1:
        raise ValueError("a share lies between 0 and 1, both excluded: 80 % is 0.8")
    return value


def slack(given: object) -> Fraction:
    """How much worse than a target a share may be, in log odds, kept exactly as it is written."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < 1:
        raise ValueError(
            "write a number from 0, which is none, to below 1: 0.125 makes 78 % of a target of 80 %"
        )
    return Fraction(str(given))


def passes(duration: int) -> int:
    """A duration in which something can happen."""
    if not duration:
        raise ValueError("write a duration of more than 0")
    return duration


def ascending(windows: tuple[int, ...]) -> tuple[int, ...]:
    """Windows from the shortest to the longest."""
    if list(windows) != sorted(set(windows)):
        raise ValueError("write each window once, the shortest first")
    return windows


def limit(given: object) -> Fraction:
    """A limit: a number as it is written, or milliseconds of a duration."""
    if isinstance(given, str):
        return Fraction(duration_ms(given))
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError("write a number, or a duration such as 90s for a KPI that is a time")
    return Fraction(str(given))


def one_select(query: str) -> str:
    """One SELECT and nothing else; that it cannot write is for ClickHouse to hold, see `asking`."""
    found = list(tokens(query))
    if not found or (found[0].keyword not in ("SELECT", "WITH") and found[0].text != "("):
        raise ValueError("write one SELECT (or WITH ... SELECT)")
    if any(one.text == ";" for one in found):
        raise ValueError("write one SELECT without ;")
    if any(one.keyword == "SETTINGS" for one in found):
        raise ValueError("leave SETTINGS out, limits are fixed; write a column of that name in backticks")
    return query


DURATION_SCHEMA = {"type": "string", "pattern": rf"^(?:{DURATION.pattern})+$", "examples": ["15m", "1h30m"]}
SHARE_SCHEMA = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
Duration = Annotated[int, BeforeValidator(duration_ms), WithJsonSchema(DURATION_SCHEMA)]
Length = Annotated[Duration, AfterValidator(passes)]
Share = Annotated[Fraction, BeforeValidator(share), WithJsonSchema(SHARE_SCHEMA)]
SLACK_SCHEMA = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
Slack = Annotated[Fraction, BeforeValidator(slack), WithJsonSchema(SLACK_SCHEMA)]
Limit = Annotated[
    Fraction, BeforeValidator(limit), WithJsonSchema({"anyOf": [{"type": "number"}, DURATION_SCHEMA]})
]
Query = Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(one_select)]
Windows = Annotated[tuple[Length, ...], Field(min_length=1, max_length=12), AfterValidator(ascending)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Label = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]  # channel, queue, or what events carry
Text = Annotated[str, Field(max_length=1_000)]
Compare = Literal["<", ">"]


class Closed(BaseModel):
    """Frozen, and a word that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def by_type(union: Any) -> dict[str, type[Closed]]:
    """The models of a union by what they have for `type`."""
    models = get_args(get_args(union)[0])
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in models}
