"""KPIs as a text for people: one a line, or a table. Of plain strings: there may be thousands of rows."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from cli.printable import printable
from cli.shown import local_minute, shown
from kpis.catalogue.kpi import Kpi
from reports.kpi.answer import Question

Answer = list[dict[str, Any]]
MANY = 8  # more KPIs than that do not fit beside each other


def print_text(out: Console, rows: Answer, question: Question, known: Mapping[str, Kpi]) -> None:
    """One KPI a line for a single row, else one row a line."""
    if not rows:
        out.print("no contacts in this range")
        return
    alone = len(rows) == 1
    listed = alone and (is_whole(question) or len(rows[0]["kpis"]) > MANY)
    width = out.width if out.is_terminal else 0
    lines = one_row(rows[0], question, known) if listed else many_rows(rows, question, width)
    out.print(Text("\n".join(lines)), soft_wrap=True)
    moment = datetime.fromtimestamp(question.now_ms // 1000, UTC).isoformat()
    provisional = [row for row in rows if not all(value["final"] for value in row["kpis"].values())]
    note = "; provisional values may still change" if alone and provisional else ""
    out.print(f"as of {local_minute(moment, question.zone)} {question.zone}{note}", highlight=False)


def is_whole(question: Question) -> bool:
    """Is it about one row by its very question?"""
    return question.every == "all" and not question.by


def head(row: dict[str, Any], question: Question) -> list[str]:
    """Begin and dimensions of a row."""
    begin = local_minute(row["window_start"], row.get("timezone", question.zone))
    return [begin, *(printable(row[name]) or "(none)" for name in question.by)]


def one_row(row: dict[str, Any], question: Question, known: Mapping[str, Kpi]) -> Iterator[str]:
    """KPIs by name, under what they are of."""
    if not is_whole(question):
        begin, *dimensions = head(row, question)
        named = (f"{name} {value}" for name, value in zip(question.by, dimensions, strict=True))
        yield " " + ", ".join([f"from {begin}", *named])
    cells = [["KPI", "value", "n", "", "id"]]
    for name, value in row["kpis"].items():
        finality = "" if value["final"] else "provisional"
        cells.append([known[name].name, shown(value), f"{value['n']:,}", finality, name])
    yield from aligned(cells, left=5)


def many_rows(rows: Answer, question: Question, width: int) -> Iterator[str]:
    """KPIs by period and dimensions; columns that do not fit into the width come below, with their rows."""
    heads = [["from", *question.by], *(head(row, question) for row in rows)]
    names = list(rows[0]["kpis"])
    columns = [[name, *(shown(row["kpis"][name]) for row in rows)] for name in names]
    fixed = sum(max(map(cell_len, column)) + 2 for column in zip(*heads, strict=True))
    for number, block in enumerate(blocks(columns, width - fixed if width else 0)):
        if number:
            yield ""
        lines = zip(heads, zip(*block, strict=True), strict=True)
        yield from aligned([[*first, *cells] for first, cells in lines], left=len(heads[0]))


def blocks(columns: Sequence[list[str]], width: int) -> Iterator[list[list[str]]]:
    """Columns as many beside each other as fit; all of them where there is no width."""
    block: list[list[str]] = []
    taken = 0
    for column in columns:
        own = max(map(cell_len, column)) + 2
        if block and width and taken + own > width:
            yield block
            block, taken = [], 0
        block.append(column)
        taken += own
    yield block


def aligned(rows: Sequence[Sequence[str]], left: int) -> Iterator[str]:
    """Lines of cells, each column as wide as it must be; those after the first `left` to the right."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = []
        for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - cell_len(cell))
            cells.append(cell + space if number < left else space + cell)
        yield (" " + "  ".join(cells)).rstrip()
