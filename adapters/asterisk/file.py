"""Reading a queue_log file, and several as the parts of one log."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from adapters.app_queue.facts import decoded
from adapters.app_queue.log import Log
from adapters.app_queue.reading import read_fact
from adapters.asterisk.lines import EPOCH, FIELDS, event_place, parse_line
from adapters.asterisk.table import Table, header_of
from adapters.kit.lines import Line, LineFile, open_lines
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, WrongFile, reject

# Where customers stand in lines: the event, and the places of its parameters.
CUSTOMER_PARAMS = {
    "ENTERQUEUE": (1, 3),
    "CALLBACKREQUEST": (0,),
    "CALLOUTBOUND": (0,),
    "DID": (0,),
    "OUTCALL": (2,),
    "BLINDTRANSFER": (0,),
    "WITHDRAW": (3,),
}


def looks_right(line: Line) -> bool:
    """Is this a line of a queue_log?"""
    cells = decoded(line.data).split("|")
    return not line.problem and len(cells) >= FIELDS and bool(EPOCH.fullmatch(cells[0]))


def check_first(file: LineFile, line: Line | None) -> None:
    """Is the file a queue_log at all? Raises WrongFile, without the line: it may name a customer."""
    if line is None:
        raise WrongFile(f"{file.name} is empty, expected a queue_log of Asterisk")
    if not looks_right(line):
        raise WrongFile(
            f"{file.name} is no queue_log of Asterisk: its first line is not "
            "epoch|call id|queue|member|EVENT|..., such as 1767600000|1767599996.1|sales|NONE|ENTERQUEUE||1|1"
        )


def customers_of(line: bytes) -> tuple[str, ...]:
    """Raw identifiers of customers in a line."""
    cells = decoded(line).split("|")
    if len(cells) < FIELDS:
        return ()
    place = event_place(cells)
    params = cells[place + 1 :]
    places = CUSTOMER_PARAMS.get(cells[place], ())
    return tuple(params[at] for at in places if at < len(params) and params[at])


def read_line(log: Log, file: LineFile, line: Line, table: Table | None = None) -> LineOutcome:
    """The events of one line, or of a row of the table; or why it has none."""
    try:
        line.require_readable()
        told = read_fact(log, table.parse(line.data) if table else parse_line(line.data))
    except InvalidInput as refused:
        return reject(file.name, line.number, refused, line.data, file.keep_payloads)
    if isinstance(told, str):
        return Skipped(line.number, told)
    return Accepted(line.number, told, file.bytes_read)


class QueueLog:
    """A reader that remembers open calls from one file of a log to the next."""

    def __init__(self, log: Log | None = None) -> None:
        self._log = log

    def __call__(self, file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
        """Outcomes of a file's lines. Raises WrongFile before the first where it is no queue_log."""
        self._log = self._log or Log(secret)
        first, table = True, None
        for line in file:
            if not (line.data.strip() or line.problem):
                continue
            if first:
                first, names = False, [] if line.problem else header_of(line.data)
                if names:
                    table = Table(names)
                    continue
                check_first(file, line)
            yield read_line(self._log, file, line, table)
        if first:
            check_first(file, None)


def read_queue_log(file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
    """Outcomes of a file on its own."""
    return QueueLog()(file, secret)


def first_time(path: str | Path) -> int:
    """The time of a file's first line; 0 where there is none. Raises WrongFile and OSError."""
    with open_lines(path) as file:
        line = next(iter(file), None)
    return int(decoded(line.data).split("|")[0]) if line and looks_right(line) else 0


def in_order(paths: Sequence[str]) -> list[str]:
    """Rotated files, the oldest first. Their numbers do not tell: `sequential` counts up, `rotate` down."""
    return sorted(paths, key=first_time)
