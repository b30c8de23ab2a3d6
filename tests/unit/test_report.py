"""The monthly report: months, changes, targets, and files that other programs can read."""

# ruff: noqa: S314 -- what is parsed is our own

import re
import zipfile
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import typer

from cli.report import month_of, target_of
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES
from reports.monthly.page import page, points
from reports.monthly.pdf import pdf
from reports.monthly.report import (
    BY_DAY,
    BY_QUEUE,
    HEADLINES,
    LESS_IS_BETTER,
    Line,
    Report,
    Series,
    month_before,
    next_month,
)
from reports.monthly.workbook import column, workbook

KPIS = every_kpi(DEFAULT_RULES)
HOSTILE = '<script>alert("x")</script> & =1+1'
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def value(kpi: str, number: float | None) -> dict[str, Any]:
    return {"value": number, "unit": KPIS[kpi].unit, "n": 4, "num": 3, "den": 4, "final": True}


def line(kpi: str, now: float | None, then: float | None, target: float | None = None) -> Line:
    return Line(KPIS[kpi], value(kpi, now), value(kpi, then), target)


def report(queues: int = 2) -> Report:
    first = date(2026, 10, 1)
    days = [first + timedelta(days=number) for number in range(31)]
    numbers = [None if number in (3, 4) else 0.5 + number / 100 for number in range(31)]
    names = [HOSTILE, "(café) ünïcode 客服", *(f"queue {number}" for number in range(queues - 2))]
    return Report(
        first,
        "Europe/Rome",
        "2026-11-01 00:00 Europe/Rome",
        True,
        [line(kpi, 0.75, 0.5, 0.8 if kpi == "service_level" else None) for kpi in HEADLINES],
        [(name, {kpi: value(kpi, 0.75) for kpi in BY_QUEUE}) for name in names],
        [Series(KPIS[kpi], days, numbers) for kpi in BY_DAY],
    )


def test_months() -> None:
    assert (month_before(date(2026, 1, 1)), next_month(date(2026, 12, 1))) == (
        date(2025, 12, 1),
        date(2027, 1, 1),
    )
    for month in range(1, 13):
        assert next_month(month_before(date(2026, month, 1))) == date(2026, month, 1)
    assert month_of("2026-10") == date(2026, 10, 1)
    for wrong in ("2026-13", "2026", "october", "2026-1", "1800-01"):
        with pytest.raises(typer.BadParameter, match="2026-10"):
            month_of(wrong)


def test_targets() -> None:
    assert target_of("service_level=80%") == ("service_level", 0.8)
    assert target_of("asa=20s") == ("asa", 20_000)
    assert target_of("csat=4.2") == ("csat", 4.2)
    for wrong in ("service=80%", "asa", "asa=fast", "asa=1.2.3", "wait_p90=2s"):
        with pytest.raises(typer.BadParameter, match="--target"):
            target_of(wrong)
    assert {*HEADLINES} >= LESS_IS_BETTER


def test_changes_and_verdicts() -> None:
    assert line("service_level", 0.8, 0.752).change == "+4.8 pt"
    assert line("aht", 90_000, 100_000).change == "-10.0 %"
    assert line("csat", 4.1, 4.35).change == "-0.25"
    assert [line("offered", now, then).change for now, then in ((5, 0), (None, 5), (5, None))] == ["-"] * 3
    assert [line("service_level", now, 0, 0.8).met for now in (0.8, 0.79, None)] == [True, False, None]
    assert [line("asa", now, 0, 20_000).met for now in (20_000, 20_001)] == [True, False]
    assert (line("asa", 1, 1, 20_000).wanted, line("asa", 1, 1).wanted) == ("≤ 20.0 s", "")


def test_the_page_stands_alone_and_runs_nothing_of_others() -> None:
    html = page(report())
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert not re.search(r"(?:src|href)=|url\(|@import|https?://", html)
    assert html.count("<figure>") == len(BY_DAY)
    assert "Provisional" in html
    assert "missed" in html
    ET.fromstring(html.removeprefix("<!doctype html>\n").replace('<meta charset="utf-8">', "").replace(
        '<meta name="viewport" content="width=device-width, initial-scale=1">', ""))  # fmt: skip


def test_a_line_has_gaps_and_stays_in_its_picture() -> None:
    stretches = [*points(report().series[0])]
    assert [len(stretch) for stretch in stretches] == [3, 26]
    assert all(0 <= x <= 460 and 0 <= y <= 120 for stretch in stretches for x, y in stretch)
    assert [*points(Series(KPIS["nps"], [date(2026, 1, 1)], [None]))] == []


def test_a_workbook_has_numbers_as_numbers() -> None:
    archive = zipfile.ZipFile(BytesIO(workbook(report())))
    assert archive.testzip() is None
    for name in archive.namelist():
        ET.fromstring(archive.read(name))
    names = [
        sheet.get("name") for sheet in ET.fromstring(archive.read("xl/workbook.xml")).iter(f"{MAIN}sheet")
    ]
    assert names == ["Key figures", "By queue", "By day"]
    cells = {
        cell.get("r"): cell
        for cell in ET.fromstring(archive.read("xl/worksheets/sheet1.xml")).iter(f"{MAIN}c")
    }
    row = HEADLINES.index("service_level") + 2
    assert cells[f"B{row}"].findtext(f"{MAIN}v") == "0.75"
    assert cells[f"B{row}"].get("s") == "2"
    assert "".join(cells[f"A{row}"].itertext()) == "Service level"
    queues = archive.read("xl/worksheets/sheet2.xml").decode()
    assert "&lt;script&gt;" in queues
    assert 't="inlineStr"' in queues
    assert [column(number) for number in (0, 25, 26, 27)] == ["A", "Z", "AA", "AB"]


@pytest.mark.parametrize("queues", [2, 120])
def test_a_pdf_says_the_truth_of_its_own_places(queues: int) -> None:
    made = pdf(report(queues))
    start = int(re.findall(rb"startxref\n(\d+)\n", made)[0])
    assert made[start:].startswith(b"xref\n")
    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n", made[start:])]
    for number, place in enumerate(places, 1):
        assert made[place:].startswith(b"%d 0 obj\n" % number)
    for length, content in re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", made, re.DOTALL):
        assert int(length) == len(content)
    pages = int(re.findall(rb"/Count (\d+)", made)[0])
    assert (pages > 2) == (queues > 100)
    assert b"(October 2026) Tj" in made
    assert "\\(café\\) ünïcode".encode("cp1252") in made  # what a font has not is a question mark
    heights = [float(y) for y in re.findall(rb"Tf [\d.]+ ([\d.]+) Td", made)]
    assert min(heights) > 20
