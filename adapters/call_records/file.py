"""Reading a file of call records."""

from collections.abc import Iterator

from adapters.call_records.layout import Layout, layouts
from adapters.call_records.rows import Row, row_events
from adapters.kit.csv_cells import line_cells
from adapters.kit.lines import Line, LineFile
from adapters.kit.options import options
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, WrongFile, reject


def cells_of(data: bytes, delimiter: str) -> list[str]:
    """The cells of a line; one that is no UTF-8 is Latin-1. Raises InvalidInput."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return line_cells(text, delimiter)


def layout_of(line: Line) -> Layout | None:
    """The layout that a first line has; None where none fits. Raises WrongFile."""
    for layout in layouts():
        try:
            if not line.problem and layout.fits(cells_of(line.data, layout.delimiter)):
                return layout
        except InvalidInput:
            continue
    return None


def row_of(line: Line, layout: Layout, names: list[str]) -> Row:
    """The cells of a line by their columns. Raises InvalidInput."""
    line.require_readable()
    cells = cells_of(line.data, layout.delimiter)
    if len(cells) != len(names):
        raise InvalidInput("wrong_columns", f"{len(cells)} columns, expected {len(names)}")
    return dict(zip(names, cells, strict=True))


def read_records(file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
    """Outcomes of a file, one per call. Raises WrongFile where no layout fits the first line."""
    layout: Layout | None = None
    names: list[str] = []
    at = options().call_records_zone
    for line in file:
        if not (line.data.strip() or line.problem):
            continue
        if layout is None:
            layout = layout_of(line)
            if layout is None:
                known = ", ".join(dict.fromkeys(each.name for each in layouts()))
                raise WrongFile(
                    f"{file.name} fits no layout of call records; those are {known}. Declare one of yours "
                    "with RINGBACK_CALL_RECORDS, see docs/sources/call_records.md"
                )
            names = [*layout.columns] or [name.strip() for name in cells_of(line.data, layout.delimiter)]
            if layout.header:
                continue
        try:
            events = row_events(row_of(line, layout, names), layout, at, secret)
        except InvalidInput as refused:
            yield reject(file.name, line.number, refused, line.data, file.keep_payloads)
            continue
        yield Accepted(line.number, events, file.bytes_read) if events else Skipped(line.number, "left_out")


def customers_of(data: bytes) -> tuple[str, ...]:
    """Raw identifiers of customers in a line: what any layout takes for one."""
    found: list[str] = []
    for layout in sorted(layouts(), key=lambda each: not each.columns):
        try:
            cells = cells_of(data, layout.delimiter)
        except InvalidInput:
            continue
        if layout.columns and layout.fits(cells):
            row = dict(zip(layout.columns, cells, strict=True))
            outbound = layout.outbound_if is not None and layout.outbound_if.hold(row)
            return (row.get((layout.outbound_customer if outbound else layout.customer) or "", ""),)
        if layout.header and layout.customer in layout.header and len(cells) >= len(layout.header):
            found.append(cells[layout.header.index(layout.customer)])
    return tuple(filter(None, found))
