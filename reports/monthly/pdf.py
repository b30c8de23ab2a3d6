"""The report as a PDF of a page or more, A4, with the fonts that every reader has: written by hand, as text
and lines are all it takes. Characters beyond western Europe's become question marks.
"""

from collections.abc import Iterator, Sequence

from reports.monthly.page import HEIGHT as CHART_HEIGHT
from reports.monthly.page import WIDTH as CHART_WIDTH
from reports.monthly.page import points, span
from reports.monthly.report import BY_QUEUE, Report, Series
from reports.shown import shown

WIDTH, HEIGHT, MARGIN = 595, 842, 48
LINE = 16
SMALL, NORMAL, LARGE = 8.5, 10.0, 22.0
INK, SOFT, MARK = "0.1 0.13 0.19", "0.36 0.42 0.51", "0.12 0.44 0.92"
# Widths of Helvetica in thousandths (Adobe's metrics); capitals and the rest are near 680.
WIDTHS = {
    **dict.fromkeys("0123456789abdeghnopqu", 556), **dict.fromkeys("ckvsxyz", 500),
    **dict.fromkeys("ijl", 222),
    **dict.fromkeys("ft .,:;/", 278), **dict.fromkeys("r-()", 333), **dict.fromkeys("<>=+", 584),
    "m": 833, "w": 722, "%": 889,
}  # fmt: skip
OTHER, BOLD = 680, 1.05


def printed(text: str) -> str:
    """What stands on paper: there are no such signs in Windows' western character set."""
    return text.replace("≤", "<=").replace("≥", ">=")


def escaped(text: str) -> str:
    """A string of PDF, in Windows' western character set."""
    safe = printed(text).encode("cp1252", "replace").decode("cp1252")
    return "".join(f"\\{letter}" if letter in "\\()" else letter for letter in safe if letter >= " ")


def width_of(text: str, size: float, bold: bool = False) -> float:
    """How wide a text is: to stand at the right of its column."""
    return sum(WIDTHS.get(letter, OTHER) for letter in printed(text)) / 1000 * size * (BOLD if bold else 1)


class Paper:
    """Pages that fill from the top; what does not fit begins a new one."""

    def __init__(self) -> None:
        self.pages: list[list[str]] = []
        self.turn()

    def turn(self) -> None:
        """Begin a page."""
        self.pages.append([])
        self.y = float(HEIGHT - MARGIN)

    def down(self, by: float) -> None:
        """Go down; to a new page where this one is full."""
        self.y -= by
        if self.y < MARGIN:
            self.turn()

    def room(self, needed: float) -> None:
        """Begin a page unless there is so much room."""
        if self.y - needed < MARGIN:
            self.turn()

    def draw(self, command: str) -> None:
        """A command of PDF on this page."""
        self.pages[-1].append(command)

    def write(self, text: str, x: float, size: float = NORMAL, bold: bool = False, colour: str = INK) -> None:
        """A text at this height."""
        font = "F2" if bold else "F1"
        self.draw(f"BT {colour} rg /{font} {size} Tf {x:.1f} {self.y:.1f} Td ({escaped(text)}) Tj ET")

    def row(self, cells: Sequence[str], places: Sequence[float], size: float, bold: bool = False) -> None:
        """Cells of a table: the first from its place on, the others up to theirs; a line below."""
        for number, (text, place) in enumerate(zip(cells, places, strict=True)):
            self.write(text, place if not number else place - width_of(text, size, bold), size, bold)
        self.draw(
            f"0.85 0.87 0.91 RG 0.5 w {MARGIN} {self.y - 4:.1f} m {WIDTH - MARGIN} {self.y - 4:.1f} l S"
        )
        self.down(LINE)


def places_of(first: float, count: int) -> list[float]:
    """Where columns stand: the first at the left, the right edges of the others evenly up to the margin."""
    step = (WIDTH - MARGIN - first) / count
    return [MARGIN, *(first + step * number for number in range(1, count + 1))]


def head(paper: Paper, title: str) -> None:
    """A heading that does not stand alone at the foot of a page."""
    paper.room(4 * LINE)
    paper.down(10)
    paper.write(title, MARGIN, 13, bold=True)
    paper.down(LINE + 4)


def chart(paper: Paper, series: Series, x: float) -> None:
    """A line by day, its top left corner at this height."""
    scale = (WIDTH - 2 * MARGIN - 20) / 2 / CHART_WIDTH
    paper.write(series.kpi.name, x, NORMAL, bold=True)
    top = paper.y
    paper.y -= 12
    paper.write(span(series), x, SMALL, colour=SOFT)
    paper.y = top
    base = top - 18 - CHART_HEIGHT * scale
    paper.draw(f"0.85 0.87 0.91 RG 0.5 w {x:.1f} {base:.1f} m {x + CHART_WIDTH * scale:.1f} {base:.1f} l S")
    for stretch in points(series):
        path = [(x + px * scale, base + (CHART_HEIGHT - py) * scale) for px, py in stretch]
        path += [(path[0][0] + 1, path[0][1])] if len(path) == 1 else []
        (begin_x, begin_y), *rest = path
        drawn = " ".join(f"{px:.1f} {py:.1f} l" for px, py in rest)
        paper.draw(f"{MARK} RG 1.4 w {begin_x:.1f} {begin_y:.1f} m {drawn} S")


def charts(paper: Paper, series: Sequence[Series]) -> None:
    """Two beside each other."""
    height = CHART_HEIGHT * (WIDTH - 2 * MARGIN - 20) / 2 / CHART_WIDTH + 34
    for number in range(0, len(series), 2):
        paper.room(height)
        for place, one in enumerate(series[number : number + 2]):
            chart(paper, one, MARGIN + place * ((WIDTH - 2 * MARGIN + 20) / 2))
        paper.down(height)


def drawn(report: Report) -> Paper:
    """All pages."""
    paper = Paper()
    paper.write(report.title, MARGIN, LARGE, bold=True)
    paper.down(22)
    state = "; provisional, some numbers can still change" if report.provisional else ""
    paper.write(f"Contact centre report, as of {report.as_of}{state}", MARGIN, NORMAL, colour=SOFT)
    paper.down(LINE)
    head(paper, "Key figures")
    places = places_of(MARGIN + 150, 4)
    paper.row(("KPI", "This month", "Month before", "Change", "Target"), places, NORMAL, bold=True)
    for line in report.lines:
        met = "" if line.met is None else " met" if line.met else " missed"
        cells = (line.kpi.name, shown(line.value), shown(line.before), line.change, line.wanted + met)
        paper.row(cells, places, NORMAL)
    head(paper, "By day")
    charts(paper, report.series)
    head(paper, "By queue")
    names = {line.kpi.id: line.kpi.name for line in report.lines}
    places = places_of(MARGIN + 70, len(BY_QUEUE))
    paper.row(("Queue", *(short(names[id_]) for id_ in BY_QUEUE)), places, SMALL, bold=True)
    for name, values in report.queues:
        paper.row((name[:16], *(shown(values[id_]) for id_ in BY_QUEUE)), places, SMALL)
    return paper


def short(name: str) -> str:
    """A heading that fits above a narrow column."""
    known = {"Average speed of answer": "ASA", "Average handle time": "AHT", "Abandonment rate": "Abandoned",
             "First contact resolution, gross": "FCR", "Customer satisfaction": "CSAT",
             "Service level": "Service lvl"}  # fmt: skip
    return known.get(name, name[:12])


def objects(pages: Sequence[Sequence[str]]) -> Iterator[bytes]:
    """The objects of the file in order: catalogue, pages, two fonts, then each page and its content."""
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(len(pages)))
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
    yield b"<< /Type /Catalog /Pages 2 0 R >>"
    yield f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode()
    yield font.format("Helvetica").encode()
    yield font.format("Helvetica-Bold").encode()
    for number, commands in enumerate(pages):
        yield (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents {6 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>"
        ).encode()
        content = "\n".join(commands).encode("cp1252")
        yield b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content)


def pdf(report: Report) -> bytes:
    """The file."""
    made = b"%PDF-1.4\n"
    starts = []
    for number, content in enumerate(objects(drawn(report).pages), 1):
        starts.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    size = len(starts) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return made + end.encode() + f"startxref\n{len(made)}\n%%EOF\n".encode()
