"""Courses of KPIs with their thresholds and episodes as an SVG, to look at in a browser or to print."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from zoneinfo import ZoneInfo

from alerts.backtest import Course
from alerts.counting import percent_of, scale_of
from alerts.timeline import marks
from alerts.when import (
    AbsenceWhen,
    BurnRateWhen,
    LogMeanWhen,
    MaturedWhen,
    ObjectiveWhen,
    SeasonalWhen,
    SqlWhen,
    ThresholdWhen,
)
from kpis.dips.ladder import Objective
from kpis.dips.log_mean import Logs
from kpis.dips.usual import usual_target
from schemas.time_units import DAY_MS, HOUR_MS, MINUTE_MS, QUARTER_MS

WIDTH, HEIGHT, LEFT, TOP, GAP = 960, 120, 70, 46, 52
POINTS = 350
BINS_MS = (MINUTE_MS, 5 * MINUTE_MS, QUARTER_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS)
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.t{font-weight:600}.s{fill:#59636e}.y{text-anchor:end}"
    ".x{text-anchor:middle}.b{fill:#fff}.a{fill:none;stroke:#bbb}.g{stroke:#ececec}"
    ".k{fill:none;stroke:#1f6feb;stroke-width:1.3;stroke-linejoin:round}"
    ".l{fill:none;stroke:#b35900;stroke-dasharray:5 3}.e{fill:#d1242f;fill-opacity:.22}.f{stroke:#d1242f}"
    "@media(prefers-color-scheme:dark){text{fill:#d1d7e0}.s{fill:#9aa4b0}.b{fill:#0d1117}.a{stroke:#4b535d}"
    ".g{stroke:#22282f}.k{stroke:#58a6ff}.l{stroke:#f0a04b}.e{fill:#ff6a69;fill-opacity:.3}.f{stroke:#ff6a69}}"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where times and values lie in a chart."""

    begin: int
    end: int
    top: float
    most: float

    def x(self, at: int) -> float:
        """Of a time, within the chart."""
        inside = min(max(at, self.begin), self.end)
        return round(LEFT + (inside - self.begin) / (self.end - self.begin) * WIDTH, 1)

    def y(self, value: float) -> float:
        """Of a value."""
        return round(self.top + HEIGHT - min(max(value / self.most, 0), 1) * HEIGHT, 1)


def bin_ms(span: tuple[int, int]) -> int:
    """So long is a point of the line: as short as leaves no more than POINTS of them."""
    return next((one for one in BINS_MS if (span[1] - span[0]) / one <= POINTS), BINS_MS[-1])


def values(course: Course, span: tuple[int, int]) -> list[tuple[int, float | None]]:
    """The KPI in spells of the span; None where nothing was counted."""
    size, found = bin_ms(span), list[tuple[int, float | None]]()
    for begin in range(span[0] - span[0] % size, span[1], size):
        found.append((begin + size // 2, value(course, begin, begin + size)))
    return found


def value(course: Course, begin: int, end: int) -> float | None:
    """The KPI in a spell."""
    num, den = course.parts[0].since(begin, end)
    if isinstance(course.rule.when, LogMeanWhen):
        return Logs(num, course.parts[1].since(begin, end)[0], den).mean_ms() if den > 1 else None
    of_all = den * scale_of(course.kpi)
    return None if not den else num / of_all if course.kpi.den or course.kpi.figure else float(num)


def thresholds(course: Course, span: tuple[int, int]) -> Sequence[tuple[int, float | None]]:
    """Where the rule draws the line, as corners of it; none where it is no value of the KPI, or unknown."""
    match course.rule.when:
        case ObjectiveWhen() as when if when.usual:
            objective = Objective(when.target, when.op == "<", course.rule.p_value, when.windows, 1, 1)
            found = list[tuple[int, float | None]]()
            for hour in range(span[0] - span[0] % HOUR_MS, span[1], HOUR_MS):
                target = usual_target(course.parts[1], hour, objective)
                level = None if target is None else float(target)
                if not found or found[-1][1] != level:
                    found.append((hour, level))
                found.append((hour + HOUR_MS, level))
            return found
        case ObjectiveWhen() | BurnRateWhen() as when:
            return [(span[0], float(when.target)), (span[1], float(when.target))]
        case LogMeanWhen() as when:
            return [(span[0], float(when.target)), (span[1], float(when.target))]
        case ThresholdWhen() if percent := percent_of(course.kpi):
            level = percent / 100 if course.rule.when.op == "<" else 1 - percent / 100
            return [(span[0], level), (span[1], level)]
        case ThresholdWhen() as when:
            return [(span[0], float(when.limit)), (span[1], float(when.limit))]
        case MaturedWhen() as when:
            level = float(when.targets[min(when.targets)])
            return [(span[0], level), (span[1], level)]
        case AbsenceWhen() | SeasonalWhen() | SqlWhen():
            return []


def picture(courses: Sequence[Course], span: tuple[int, int], zone: str) -> str:
    """A chart below the other for each course."""
    height = TOP + len(courses) * (HEIGHT + GAP) - 22
    charts = [chart(course, span, zone, TOP + place * (HEIGHT + GAP)) for place, course in enumerate(courses)]
    size = f'width="{LEFT + WIDTH + 20}" height="{height}"'
    said = f"{clock(span[0], zone)} to {clock(span[1], zone)} ({zone})"
    head = (
        f'<text x="{LEFT}" y="17">{escape(said)}</text>'
        f'<text class="s y" x="{LEFT + WIDTH}" y="17">line: KPI; dashed: threshold; red: firing</text>'
    )
    named = f"<title>{escape(said)}</title>\n<style>{STYLE}</style>"
    body = "\n".join([named, '<rect class="b" width="100%" height="100%"/>', head, *charts])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n{body}\n</svg>\n'


def chart(course: Course, span: tuple[int, int], zone: str, top: float) -> str:
    """One course: its episodes, its threshold, its line, and what it is."""
    line, limit = values(course, span), thresholds(course, span)
    known = [value for _, value in (*line, *limit) if value is not None]
    unit = "ratio" if percent_of(course.kpi) else course.kpi.unit  # the share that is beyond the limit
    most = 1.0 if unit == "ratio" else max(known, default=0) * 1.1 or 1.0
    frame = Frame(*span, top, most)
    parts = scale(frame, unit, zone)
    for one in course.episodes:
        left, right = frame.x(one.fired_at), frame.x(one.ended_at or span[1])
        ended = "still fires" if one.ended_at is None else f"{one.ending} {clock(one.ended_at, zone)}"
        title = escape(f"fired {clock(one.fired_at, zone)}, {ended}: {one.value} of {one.seen.n:,}")
        box = f'x="{left}" y="{top}" width="{max(right - left, 1.0):.1f}" height="{HEIGHT}"'
        parts.append(f'<rect class="e" {box}><title>{title}</title></rect>')
        parts.append(f'<line class="f" x1="{left}" x2="{left}" y1="{top}" y2="{top + HEIGHT}"/>')
    parts += [f'<polyline class="l" points="{each}"/>' for each in strokes(limit, frame)]
    parts += [f'<polyline class="k" points="{each}"/>' for each in strokes(line, frame)]
    labels = " ".join(f"{name}={value}" for name, value in course.labels)
    number = len(course.episodes)
    title = f"{course.rule.alert} {labels}: {course.kpi.id}, {number} episode{'' if number == 1 else 's'}"
    parts.append(f'<text class="t" x="{LEFT}" y="{top - 5}">{escape(title)}</text>')
    return "\n".join(parts)


def scale(frame: Frame, unit: str, zone: str) -> list[str]:
    """The empty chart: its frame, what its height means, and the days or hours below."""
    bottom, parts = frame.top + HEIGHT, []
    for at, said in marks((frame.begin, frame.end), zone):
        x = frame.x(at)
        parts.append(f'<line class="g" x1="{x}" x2="{x}" y1="{frame.top}" y2="{bottom}"/>')
        parts.append(f'<text class="s x" x="{x}" y="{bottom + 17}">{said}</text>')
    for value in (0.0, frame.most / 2, frame.most):
        y, said = frame.y(value), escape(shown(value, unit))
        parts.append(f'<line class="g" x1="{LEFT}" x2="{LEFT + WIDTH}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="s y" x="{LEFT - 6}" y="{min(y + 4, bottom)}">{said}</text>')
    box = f'x="{LEFT}" y="{frame.top}" width="{WIDTH}" height="{HEIGHT}"'
    return [*parts, f'<rect class="a" {box}/>']


def strokes(line: Sequence[tuple[int, float | None]], frame: Frame) -> list[str]:
    """The line, broken where nothing was counted; a single point is a short dash."""
    found: list[list[str]] = [[]]
    for at, value in line:
        if value is None:
            found.append([])
        else:
            found[-1].append(f"{frame.x(at)},{frame.y(value)}")
    return [" ".join(each if len(each) > 1 else each * 2) for each in found if each]


def shown(value: float, unit: str) -> str:
    """A value at the edge of a chart."""
    if unit == "ratio":
        return f"{100 * value:.0f} %"
    return f"{value / 1000:,.0f} s" if unit == "ms" else f"{value:,.3g}"


def clock(at: int, zone: str) -> str:
    """A time on the local clock."""
    return f"{datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
