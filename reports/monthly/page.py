"""The report as one HTML page: nothing is fetched, pictures are SVG in it; light or dark as the reader is."""

from collections.abc import Iterable, Iterator
from html import escape

from reports.monthly.report import BY_QUEUE, Line, Report, Series
from reports.shown import shown

WIDTH, HEIGHT, PAD = 460, 120, 6
HEADS = ("KPI", "This month", "Month before", "Change", "Target")
STYLE = """
:root{color-scheme:light dark;--ink:#1a2230;--soft:#5d6b82;--line:#d9dfe8;--paper:#fff;--card:#f5f7fa;
--mark:#1f6feb;--good:#157347;--bad:#b42318}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf5;--soft:#9aa7bd;--line:#313c4f;--paper:#11161f;--card:#1a212d;
--mark:#6ea8fe;--good:#4ac585;--bad:#ff8a80}}
*{box-sizing:border-box}body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
max-width:1040px;margin:0 auto;padding:32px 24px}
h1{font-size:2rem;margin:0}h2{margin:2.2rem 0 .6rem;
font-size:1.2rem}p{margin:.2rem 0;color:var(--soft)}.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{padding:.45rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap;
font-variant-numeric:tabular-nums}
th{white-space:normal}th:first-child,td:first-child{text-align:left}th{color:var(--soft);font-weight:600}
.met{color:var(--good)}.missed{color:var(--bad)}.charts{display:grid;gap:16px;
grid-template-columns:repeat(auto-fit,minmax(300px,1fr))}figure{margin:0;padding:14px;background:var(--card);
border-radius:10px}figcaption{font-weight:600}svg{width:100%;height:auto;display:block}
.note{border-left:4px solid var(--mark);padding:.3rem .8rem;background:var(--card);margin:1rem 0}
@media print{body{padding:0}figure,tr{break-inside:avoid}}
"""


def table(heads: Iterable[str], rows: Iterable[Iterable[str]], caption: str) -> str:
    """A table; cells are HTML already."""
    top = "".join(f'<th scope="col">{head}</th>' for head in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table aria-label="{escape(caption)}"><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def verdict(line: Line) -> str:
    """The target, and in words whether it is met: colour alone says nothing to some."""
    if line.met is None:
        return escape(line.wanted)
    word = "met" if line.met else "missed"
    return f'<span class="{word}">{escape(line.wanted)} {word}</span>'


def points(series: Series) -> Iterator[list[tuple[float, float]]]:
    """Stretches of days without a gap, as places in the picture; from zero up."""
    most = max((value for value in series.values if value is not None), default=0) or 1
    least = min(0, *(value for value in series.values if value is not None), 0)
    step = (WIDTH - 2 * PAD) / max(len(series.values) - 1, 1)
    stretch: list[tuple[float, float]] = []
    for number, value in enumerate(series.values):
        if value is None:
            if stretch:
                yield stretch
            stretch = []
            continue
        height = (value - least) / (most - least) * (HEIGHT - 2 * PAD)
        stretch.append((PAD + number * step, HEIGHT - PAD - height))
    if stretch:
        yield stretch


def span(series: Series) -> str:
    """Least and greatest day in words."""
    known = [value for value in series.values if value is not None]
    return f"{series.text(min(known))} to {series.text(max(known))}" if known else "nothing counted"


def chart(series: Series) -> str:
    """A line by day."""
    drawn = ""
    for stretch in points(series):
        if len(stretch) == 1:
            (x, y) = stretch[0]
            drawn += f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="var(--mark)"/>'
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in stretch)
        drawn += f'<polyline points="{path}" fill="none" stroke="var(--mark)" stroke-width="2"/>'
    name, said = escape(series.kpi.name), escape(span(series))
    base = f'<path d="M{PAD} {HEIGHT - PAD}H{WIDTH - PAD}" stroke="var(--line)"/>'
    return (
        f"<figure><figcaption>{name}</figcaption><p>{said}</p>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{name} by day: {said}">'
        f"{base}{drawn}</svg>"
        "</figure>"
    )


def page(report: Report) -> str:
    """The whole page."""
    lines = (
        [escape(line.kpi.name), shown(line.value), shown(line.before), line.change, verdict(line)]
        for line in report.lines
    )
    names = {line.kpi.id: line.kpi.name for line in report.lines}
    queues = ([escape(name), *(shown(values[id_]) for id_ in BY_QUEUE)] for name, values in report.queues)
    note = "<p class='note'>Provisional: the month is not over, or some of its numbers can still change.</p>"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{report.title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><h1>{report.title}</h1>"
        f"<p>Contact centre report, as of {escape(report.as_of)}</p>{note if report.provisional else ''}"
        f"<h2>Key figures</h2>{table(HEADS, lines, 'Key figures')}"
        f"<h2>By day</h2><div class='charts'>{''.join(map(chart, report.series))}</div>"
        f"<h2>By queue</h2>{table(('Queue', *(names[id_] for id_ in BY_QUEUE)), queues, 'By queue')}"
        "</body></html>\n"
    )
