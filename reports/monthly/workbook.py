"""The report as a workbook for spreadsheets (Office Open XML), with numbers as numbers: written by hand, as
it is five small files in a ZIP.
"""

import io
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from kpis.catalogue.kpi import Kpi
from reports.monthly.report import BY_QUEUE, Report

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# Styles by number: plain, bold, percent, two decimals, whole.
STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><fonts count="2"><font/><font><b/></font></fonts>'
    '<fills count="1"><fill/></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="5">'
    '<xf xfId="0"/><xf xfId="0" fontId="1" applyFont="1"/><xf xfId="0" numFmtId="10" applyNumberFormat="1"/>'
    '<xf xfId="0" numFmtId="4" applyNumberFormat="1"/><xf xfId="0" numFmtId="3" applyNumberFormat="1"/>'
    "</cellXfs></styleSheet>"
)
WIDTHS = ((1, 1, 34), (2, 20, 18))
PLAIN, BOLD, PERCENT, DECIMALS, WHOLE = range(5)
STYLE_OF = {"ratio": PERCENT, "count": WHOLE}
CONTROL = {code: None for code in range(32) if code not in (9, 10, 13)}
Cell = tuple[Any, int]


def column(number: int) -> str:
    """A, B, ... Z, AA: columns from 0."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


def text(value: str, style: int = PLAIN) -> Cell:
    """A text: a spreadsheet does not run an inline string, whatever it begins with."""
    return value.translate(CONTROL), style


def number(kpi: Kpi, value: float | None) -> Cell:
    """A value; durations in seconds."""
    if value is None:
        return None, PLAIN
    return (value / 1000 if kpi.unit == "ms" else value), STYLE_OF.get(kpi.unit, DECIMALS)


def name_of(kpi: Kpi) -> str:
    """The KPI with its unit, where the number alone does not say it."""
    return f"{kpi.name} (s)" if kpi.unit == "ms" else kpi.name


def cell(value: Any, style: int, place: str) -> str:
    """A cell as XML."""
    if value is None:
        return ""
    if isinstance(value, str):
        shown = f'<is><t xml:space="preserve">{escape(value)}</t></is>'
        return f'<c r="{place}" s="{style}" t="inlineStr">{shown}</c>'
    return f'<c r="{place}" s="{style}"><v>{value!r}</v></c>'


def sheet(rows: Sequence[Sequence[Cell]]) -> str:
    """A sheet as XML, its first row in place."""
    lines = []
    for row_number, row in enumerate(rows, 1):
        cells = (cell(*item, f"{column(place)}{row_number}") for place, item in enumerate(row))
        lines.append(f'<row r="{row_number}">{"".join(cells)}</row>')
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    view = f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
    wide, other = (f'<col min="{a}" max="{b}" width="{w}" customWidth="1"/>' for a, b, w in WIDTHS)
    widths = f"<cols>{wide}{other}</cols>"
    return (
        f'{HEAD}<worksheet xmlns="{MAIN}">{view}{widths}<sheetData>{"".join(lines)}</sheetData></worksheet>'
    )


def sheets_of(report: Report) -> dict[str, list[list[Cell]]]:
    """Sheets by name."""
    kpis = {line.kpi.id: line.kpi for line in report.lines}
    heads = ("KPI", report.title, "Month before", "Target", "Met", "Numerator", "Denominator")
    figures = [[text(head, BOLD) for head in heads]]
    for line in report.lines:
        met = "" if line.met is None else "yes" if line.met else "no"
        terms = [(line.value[term], WHOLE) for term in ("num", "den")]
        values = (line.value["value"], line.before["value"], line.target)
        figures.append([text(name_of(line.kpi)), *(number(line.kpi, v) for v in values), text(met), *terms])
    state = "provisional" if report.provisional else "final"
    figures.append([text(f"As of {report.as_of}, {state}")])
    queues = [[text("Queue", BOLD), *(text(name_of(kpis[id_]), BOLD) for id_ in BY_QUEUE)]]
    for name, values_of in report.queues:
        queues.append([text(name), *(number(kpis[id_], values_of[id_]["value"]) for id_ in BY_QUEUE)])
    days = [[text("Day", BOLD), *(text(name_of(series.kpi), BOLD) for series in report.series)]]
    for place, day in enumerate(report.series[0].days):
        days.append([text(str(day)), *(number(s.kpi, s.values[place]) for s in report.series)])
    return {"Key figures": figures, "By queue": queues, "By day": days}


def workbook(report: Report) -> bytes:
    """The file."""
    sheets = sheets_of(report)
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, 1)
    )
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{types}.worksheet+xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    files = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        "ContentType="
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{types}.styles+xml"/>{parts}</Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{links}'
        f'<Relationship Id="rId99" Type="{LINKS}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": STYLES,
    }
    files |= {f"xl/worksheets/sheet{n}.xml": sheet(rows) for n, rows in enumerate(sheets.values(), 1)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return buffer.getvalue()
