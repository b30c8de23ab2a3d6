"""Layouts of call records: which column says what. A file of TOML declares one; ours are in layouts/.

RINGBACK_CALL_RECORDS names a file of yours, RINGBACK_CALL_RECORDS_ZONE the time zone of the files (UTC).
"""

import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapters.kit.options import options
from adapters.kit.outcomes import WrongFile

FOLDER = Path(__file__).parent / "layouts"
DELIMITERS = (",", ";", "\t")
Column = Annotated[str, Field(min_length=1, max_length=100)]


class Strict(BaseModel):
    """Frozen, and without fields that are not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(Strict):
    """True of a row whose column holds one of these words, in any letter case."""

    column: Column
    words: tuple[str, ...] = Field(min_length=1)

    def hold(self, row: dict[str, str]) -> bool:
        """Does it hold of a row?"""
        return row.get(self.column, "").strip().lower() in {word.lower() for word in self.words}


class Layout(Strict):
    """Which column says what. With `columns` there is no header; of `header` the first line has these names.

    `wait` and `talk` are durations (seconds, or h:mm:ss) from which the times of answer and end follow where
    no column has them. `..._until` cuts a value before this text.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    columns: tuple[Column, ...] = ()
    header: tuple[Column, ...] = ()
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    begins: str = ""
    time: str = "%Y-%m-%d %H:%M:%S"
    id: tuple[Column, ...] = Field(min_length=1)
    started: Column
    answered: Column | None = None
    answered_if: Words | None = None
    answer_unknown_if: Words | None = None
    ended: Column | None = None
    wait: Column | None = None
    talk: Column | None = None
    queue: Column | None = None
    queue_until: str = ""
    queued_if: Words | None = None
    agent: Column | None = None
    agent_until: str = ""
    customer: Column | None = None
    by_agent: Words | None = None
    by_customer: Words | None = None
    direct_if: Words | None = None  # calls to a telephone, not to a queue
    direct_agent: Column | None = None
    transferred_if: Words | None = None
    flowed_if: Words | None = None  # left the queue otherwise than by an answer or hanging up
    outbound_if: Words | None = None
    outbound_agent: Column | None = None
    outbound_customer: Column | None = None
    outbound_by_agent: Words | None = None  # where the columns of by_agent mean who was called
    skip_if: Words | None = None
    missed: Column | None = None
    missed_separator: str = ";"

    @model_validator(mode="after")
    def complete(self) -> "Layout":
        """Either by position or by a header, and an end that can be known; columns that there are."""
        if bool(self.columns) == bool(self.header):
            raise ValueError("give either columns (by position) or header (names in the first line)")
        if self.ended is None and self.talk is None:
            raise ValueError("give ended, or talk")
        if self.columns:
            used = [self.started, self.answered, self.ended, self.wait, self.talk, self.queue, self.agent]
            missing = [name for name in (*self.id, *filter(None, used)) if name not in self.columns]
            if missing:
                raise ValueError(f"columns has no {', '.join(missing)}")
        return self

    def fits(self, cells: list[str]) -> bool:
        """Is a first line one of this layout?"""
        if self.header:
            return {*self.header} <= {cell.strip() for cell in cells}
        if len(cells) != len(self.columns) or not cells[0].startswith(self.begins):
            return False
        try:
            datetime.strptime(cells[self.columns.index(self.started)].strip(), self.time)
        except ValueError:
            return False  # as many commas by chance
        return True


@cache
def read_layout(path: Path) -> Layout:
    """A layout. Raises WrongFile with what is wrong with it."""
    try:
        return Layout.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise WrongFile(f"cannot read the layout {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WrongFile(f"{path} is no TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "layout"
        raise WrongFile(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}") from None


@cache
def spelled(path: Path) -> tuple[Layout, ...]:
    """A layout, and the same with what other programs and countries put between cells. Raises WrongFile."""
    layout = read_layout(path)
    others = (each for each in DELIMITERS if each != layout.delimiter)
    return (layout, *(layout.model_copy(update={"delimiter": each}) for each in others))


@cache
def shipped() -> tuple[Layout, ...]:
    """The layouts that come with Ringback."""
    return tuple(layout for path in sorted(FOLDER.glob("*.toml")) for layout in spelled(path))


def layouts() -> tuple[Layout, ...]:
    """All layouts, the user's own first. Raises WrongFile."""
    own = options().call_records
    return (*spelled(own), *shipped()) if own else shipped()
