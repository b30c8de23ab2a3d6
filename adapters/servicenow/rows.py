"""One row of the ServiceNow incident event log, read from text: a state of an incident at a version."""

import csv
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from adapters.kit.outcomes import InvalidInput
from schemas.shape import quoted

UNKNOWN = "?"
COLUMNS = (
    "number", "incident_state", "active", "reassignment_count", "reopen_count", "sys_mod_count",
    "made_sla", "caller_id", "opened_by", "opened_at", "sys_created_by", "sys_created_at",
    "sys_updated_by", "sys_updated_at", "contact_type", "location", "category", "subcategory",
    "u_symptom", "cmdb_ci", "impact", "urgency", "priority", "assignment_group", "assigned_to",
    "knowledge", "u_priority_confirmation", "notify", "problem_id", "rfc", "vendor", "caused_by",
    "closed_code", "resolved_by", "resolved_at", "closed_at",
)  # fmt: skip
CALLER_COLUMN = COLUMNS.index("caller_id")
SAFE_COLUMNS = 3  # so far from the caller that a row with cells missing or split names nobody in them
COUNT = re.compile(r"\d{1,5}", re.ASCII)
MOMENT = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """What a row says of its incident: times UTC milliseconds, "" and None where it says "?".

    `resolved_at` and `closed_at` are the same on all rows of an incident: the log was enriched with how it
    ended. Only the last row may be believed in them.
    """

    number: str
    version: int
    state: str
    reassigned: int
    reopened: int
    caller: str
    category: str
    group: str
    agent: str
    opened_at: int
    updated_at: int
    resolved_at: int | None
    closed_at: int | None


def split(line: bytes) -> list[str]:
    """The cells of a row without stray spaces. A cell holds no line break. Raises InvalidInput."""
    try:
        return [cell.strip() for cell in next(csv.reader([line.decode("utf-8")], strict=True), [])]
    except UnicodeDecodeError as error:
        raise InvalidInput("invalid_utf8", f"byte {error.start} is not UTF-8") from None
    except csv.Error as error:
        raise InvalidInput("invalid_csv", str(error)) from None


def is_header(line: bytes) -> bool:
    """Is this the first line of the log?

    Two names are damaged in the published file: `ident_state` was incident_state, and the second `category`
    subcategory. A file where they are mended is as good.
    """
    try:
        names = [name.lower() for name in split(line)]
    except InvalidInput:
        return False
    damaged = {"incident_state": "ident_state", "subcategory": "category"}
    return len(names) == len(COLUMNS) and all(
        name in (column, damaged.get(column)) for name, column in zip(names, COLUMNS, strict=True)
    )


@lru_cache(maxsize=65_536)
def utc_ms(text: str) -> int | None:
    """UTC milliseconds of a time written day first, None if it is none. No zone is named: taken as UTC."""
    found = MOMENT.fullmatch(text)
    if not found:
        return None
    day, month, year, hour, minute = map(int, found.groups())
    try:
        return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        return None


def to_ms(row: dict[str, str], column: str) -> int:
    """The time in a column. Raises InvalidInput."""
    time_ms = utc_ms(row[column])
    if time_ms is None:
        raise InvalidInput("bad_time", f"{column} is {quoted(row[column])}, expected d/m/yyyy h:mm")
    return time_ms


def to_count(row: dict[str, str], column: str) -> int:
    """The number in a column. Raises InvalidInput."""
    if not COUNT.fullmatch(row[column]):
        raise InvalidInput("bad_number", f"{column} is {quoted(row[column])}, expected 0 to 99999")
    return int(row[column])


def parse_row(line: bytes) -> Row:
    """The row that a line holds. Raises InvalidInput."""
    cells = split(line)
    if len(cells) != len(COLUMNS):
        raise InvalidInput("wrong_columns", f"{len(cells)} columns; a row has {len(COLUMNS)}")
    row = dict(zip(COLUMNS, ("" if cell == UNKNOWN else cell for cell in cells), strict=True))
    if not row["number"]:
        raise InvalidInput("no_identity", "number is empty: the incident cannot be told from others")
    return Row(
        number=row["number"],
        version=to_count(row, "sys_mod_count"),
        state=row["incident_state"],
        reassigned=to_count(row, "reassignment_count"),
        reopened=to_count(row, "reopen_count"),
        caller=row["caller_id"],
        category=row["category"],
        group=row["assignment_group"],
        agent=row["assigned_to"],
        opened_at=to_ms(row, "opened_at"),
        updated_at=to_ms(row, "sys_updated_at"),
        resolved_at=to_ms(row, "resolved_at") if row["resolved_at"] else None,
        closed_at=to_ms(row, "closed_at") if row["closed_at"] else None,
    )


def customers_of(line: bytes) -> tuple[str, ...]:
    """Raw identifiers of customers in a row; none where the columns do not fit."""
    try:
        cells = split(line)
    except InvalidInput:
        return ()
    return (cells[CALLER_COLUMN],) if len(cells) == len(COLUMNS) else ()


def without_customer(line: bytes) -> bytes:
    """The row with an unknown caller: a dead letter carries no customer identifier either.

    Where the columns do not fit nobody can say which one names the caller, so only the first ones are kept.
    """
    cells = line.split(b",")
    if len(cells) != len(COLUMNS) or b'"' in line:
        return b",".join(cells[:SAFE_COLUMNS])
    cells[CALLER_COLUMN] = UNKNOWN.encode()
    return b",".join(cells)
