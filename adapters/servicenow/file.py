"""Reading a file of the ServiceNow incident event log: rows are gathered by incident first."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from adapters.kit.headers import first_line
from adapters.kit.lines import Line, LineFile
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, WrongFile, reject
from adapters.servicenow.incidents import incident_events
from adapters.servicenow.rows import COLUMNS, Row, is_header, parse_row, without_customer


@dataclass(slots=True)
class Incident:
    """The rows of one incident, in file order, and whether one of them could not be read."""

    position: int
    rows: list[Row] = field(default_factory=list)
    broken: bool = False


def check_header(file: LineFile, header: Line | None) -> None:
    """Is the file an incident log at all? Raises WrongFile with what was found instead."""
    expected = f"expected the {len(COLUMNS)} columns number, incident_state, ... resolved_at, closed_at"
    if header is None:
        raise WrongFile(f"{file.name} is empty, {expected}")
    if header.problem or not is_header(header.data):
        found = first_line(header, header.data.decode("utf-8", "replace").split(","), COLUMNS)
        raise WrongFile(
            f"{file.name} is no ServiceNow incident event log: {found}; {expected} separated by commas"
        )


def read_row(line: Line) -> Row:
    """The row of a line. Raises InvalidInput."""
    line.require_readable()
    return parse_row(line.data)


def numbered(line: Line) -> str:
    """Number of the incident that a line is about, as far as it can be seen."""
    return line.data.split(b",", 1)[0].decode("utf-8", "replace").strip(' "')


def incident_outcome(file: LineFile, incident: Incident, secret: bytes) -> LineOutcome:
    """The events of an incident.

    One with a row that could not be read is left out: its legs could be numbered wrongly, and the mended row,
    imported later, would not put that right.
    """
    if incident.broken:
        return Skipped(incident.position, "incident with a refused row")
    try:
        events = incident_events(incident.rows, secret)
    except InvalidInput as refused:
        number = incident.rows[0].number.encode()
        return reject(file.name, incident.position, refused, number, file.keep_payloads)
    return Accepted(incident.position, events, file.bytes_read)


def read_servicenow(file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
    """Outcomes of an open log, one per incident after one per refused row; raises WrongFile if it is none.

    The file is in no order that could be relied on, so it is read to its end before anything is told: some
    400 bytes of memory per row.
    """
    lines = iter(file)
    check_header(file, next(lines, None))
    incidents: dict[str, Incident] = {}
    for line in lines:
        if not (line.data.strip() or line.problem):
            continue
        try:
            row = read_row(line)
            incidents.setdefault(row.number, Incident(line.number)).rows.append(row)
        except InvalidInput as refused:
            yield reject(file.name, line.number, refused, without_customer(line.data), file.keep_payloads)
            if number := numbered(line):
                incidents.setdefault(number, Incident(line.number)).broken = True
    yield from (incident_outcome(file, incident, secret) for incident in incidents.values())
