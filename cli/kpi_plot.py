"""Small charts of KPIs in the terminal: a line over the periods, or bars where there is one period."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cli.kpi_text import Answer, aligned
from cli.printable import printable
from cli.shown import shown
from reports.kpi.answer import Question
from sql.periods import edges

LEVELS = "▁▂▃▄▅▆▇█"
POINTS = 60  # of a line; longer ones are joined
BAR = 40
Value = dict[str, Any]
NOTHING: Value = {"value": None, "num": 0, "den": 0, "unit": ""}


def plots(rows: Answer, question: Question) -> Iterator[str]:
    """Lines to be printed, KPI by KPI."""
    for name in rows[0]["kpis"]:
        if rows[0]["kpis"][name]["unit"] != "hour":
            yield f" {name}"
            drawn = bars(rows, question, name) if question.every == "all" else lines(rows, question, name)
            yield from aligned([*drawn], left=2)


def whose(row: dict[str, Any], question: Question) -> str:
    """Dimensions of a row."""
    return ", ".join(printable(row[name]) or "(none)" for name in question.by) or "all"


def bars(rows: Answer, question: Question, name: str) -> Iterator[list[str]]:
    """A bar for each row, from zero."""
    values = [row["kpis"][name] for row in rows]
    most = max((abs(value["value"]) for value in values if value["value"]), default=1)
    for row, value in zip(rows, values, strict=True):
        length = round(abs(value["value"] or 0) / most * BAR)
        yield [whose(row, question), "█" * length or "·", shown(value)]


def lines(rows: Answer, question: Question, name: str) -> Iterator[list[str]]:
    """A line for each series: each period has its place, also where nothing happened."""
    series: dict[str, dict[int, Value]] = {}
    zones: dict[str, str] = {}
    for row in rows:
        key = whose(row, question)
        begin = round(datetime.fromisoformat(row["window_start"]).timestamp() * 1000)
        series.setdefault(key, {})[begin] = row["kpis"][name]
        zones[key] = row.get("timezone", question.zone)
    for key, found in series.items():
        listed = edges(question.from_ms, question.to_ms, question.every, ZoneInfo(zones[key]))[:-1]
        begins = sorted({*listed, *found})
        values = joined([found.get(begin, NOTHING) for begin in begins])
        known = [value for value in found.values() if value["value"] is not None]
        ends = [min(known, key=number_of), max(known, key=number_of)] if known else []
        yield [key, drawn(values), " to ".join(shown(end) for end in ends) or "-"]


def number_of(value: Value) -> float:
    """The value of something counted."""
    return float(value["value"])


def joined(values: Sequence[Value]) -> list[float | None]:
    """At most POINTS numbers: neighbours are joined by their terms, no average of averages."""
    size = -(-len(values) // POINTS)
    return [one_of(values[begin : begin + size]) for begin in range(0, len(values), size)]


def one_of(values: Sequence[Value]) -> float | None:
    """A number for several periods: the quotient of the sums, of counts the sum, of extremes the greatest."""
    known = [value for value in values if value["value"] is not None]
    if len(known) < 2:
        return known[0]["value"] if known else None
    if all(value["den"] == 1 for value in known):
        numbers = [float(value["value"]) for value in known]
        return sum(numbers) if known[0]["unit"] == "count" else max(numbers)
    den = sum(value["den"] for value in known)
    return sum(value["num"] for value in known) / den if den else None


def drawn(values: Sequence[float | None]) -> str:
    """Numbers as blocks between the least and the greatest; a space for none."""
    known = [value for value in values if value is not None]
    least, span = min(known, default=0), (max(known, default=0) - min(known, default=0)) or 1
    top = len(LEVELS) - 1
    text = (" " if value is None else LEVELS[round((value - least) / span * top)] for value in values)
    return "".join(text)
