"""Reading a call log file of the Anonymous Bank."""

from collections.abc import Iterator

from adapters.bank.calls import COLUMNS, is_header, parse_row, without_customer
from adapters.kit.headers import first_line
from adapters.kit.lines import Line, LineFile
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, WrongFile, reject


def check_header(file: LineFile, header: Line | None) -> None:
    """Is the file a call log at all? Raises WrongFile with what was found instead."""
    if header is None:
        raise WrongFile(f"{file.name} is empty, expected a call log with the header {' '.join(COLUMNS)}")
    if header.problem or not is_header(header.data):
        found = first_line(header, header.data.decode("utf-8", "replace").split("\t"), COLUMNS)
        raise WrongFile(
            f"{file.name} is no Anonymous Bank call log: {found}; expected the {len(COLUMNS)} columns "
            f"{' '.join(COLUMNS)} separated by tabs"
        )


def read_line(file: LineFile, line: Line, secret: bytes) -> LineOutcome:
    """The events of one row, or why it has none."""
    try:
        line.require_readable()
        events = parse_row(line.data, secret)
    except InvalidInput as refused:
        return reject(file.name, line.number, refused, without_customer(line.data), file.keep_payloads)
    if events is None:
        return Skipped(line.number, "phantom")
    return Accepted(line.number, events, file.bytes_read)


def read_bank(file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
    """Outcomes of an open call log, one per row; raises WrongFile before the first if it is none."""
    lines = iter(file)
    if not file.begun:
        check_header(file, next(lines, None))
    for line in lines:
        if line.data.strip() or line.problem:
            yield read_line(file, line, secret)
