"""The types of the fields of events, with their bounds."""

from typing import Annotated

from pydantic import AfterValidator, Field

from schemas.time_units import DAY_MS

# 1990 to 2100: a date outside is a broken clock or a broken parser, never a contact.
OCCURRED_AT_MIN = 631_152_000_000
OCCURRED_AT_MAX = 4_102_444_800_000
DURATION_MAX_MS = 10 * 366 * DAY_MS

Id = Annotated[str, Field(min_length=1, max_length=256)]
Name = Annotated[str, Field(min_length=1, max_length=256)]
TimeMs = Annotated[int, Field(ge=OCCURRED_AT_MIN, lt=OCCURRED_AT_MAX)]
DurationMs = Annotated[int, Field(ge=0, le=DURATION_MAX_MS)]
Ordinal = Annotated[int, Field(ge=1, le=100_000)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Score = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
# A counter, or a time in milliseconds where the source has only that.
Revision = Annotated[int, Field(ge=0, lt=2**63)]
DimensionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
# In the order of their names, so that equal ones have equal bytes.
Dimensions = Annotated[
    dict[DimensionName, Name], Field(max_length=8), AfterValidator(lambda given: dict(sorted(given.items())))
]
Channel = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
