"""The report of a month: its KPIs beside the month before and the targets, by queue and by day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from kpis.rules import Rules
from reports.kpi.answer import Question, answer
from reports.shown import duration, shown
from sql.periods import edges, first_instant

HEADLINES = ("volume", "offered", "answered", "service_level", "abandonment_rate", "asa", "longest_wait",
             "aht", "transfer_rate", "fcr_gross", "repeat_contact_rate", "csat", "nps",
             "occupancy")  # fmt: skip
BY_QUEUE = ("offered", "answered", "service_level", "abandonment_rate", "asa", "aht", "fcr_gross", "csat")
BY_DAY = ("offered", "service_level", "abandonment_rate", "asa", "aht", "fcr_gross")
# Where less is better; elsewhere more is, and volumes are neither.
LESS_IS_BETTER = {"abandonment_rate", "asa", "longest_wait", "aht", "transfer_rate", "repeat_contact_rate"}
Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A KPI of the month, of the month before, and what it should be; `met` is None without a target."""

    kpi: Kpi
    value: Value
    before: Value
    target: float | None

    @property
    def met(self) -> bool | None:
        """Is the target met?"""
        if self.target is None or self.value["value"] is None:
            return None
        number = float(self.value["value"])
        return number <= self.target if self.kpi.id in LESS_IS_BETTER else number >= self.target

    @property
    def change(self) -> str:
        """Against the month before: of ratios in points, else in percent."""
        now, then = self.value["value"], self.before["value"]
        if now is None or then is None:
            return "-"
        if self.kpi.unit == "ratio":
            return f"{(now - then) * 100:+.1f} pt"
        if self.kpi.unit in ("points", "number"):
            return f"{now - then:+.2f}"
        return f"{(now - then) / then * 100:+.1f} %" if then else "-"

    @property
    def wanted(self) -> str:
        """The target as text."""
        if self.target is None:
            return ""
        sign = "≤" if self.kpi.id in LESS_IS_BETTER else "≥"
        return f"{sign} {shown(self.value | {'value': self.target})}"


@dataclass(frozen=True, slots=True)
class Series:
    """A KPI by day; None where nothing was counted."""

    kpi: Kpi
    days: Sequence[date]
    values: Sequence[float | None]

    def text(self, number: float) -> str:
        """A value of it."""
        whole = duration(number) if self.kpi.unit == "ms" else ""
        return whole or shown({"value": number, "unit": self.kpi.unit})


@dataclass(frozen=True, slots=True)
class Report:
    """All that a page of any format shows."""

    month: date
    zone: str
    as_of: str
    provisional: bool
    lines: Sequence[Line]
    queues: Sequence[tuple[str, Mapping[str, Value]]]
    series: Sequence[Series]

    @property
    def title(self) -> str:
        """What stands on top."""
        return f"{self.month:%B %Y}"


def next_month(month: date) -> date:
    """First day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def month_before(month: date) -> date:
    """First day of the month before."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def question_of(month: date, zone: str, as_of_ms: int) -> Question:
    """A question about the month on the clock of a zone."""
    place = ZoneInfo(zone)
    span = first_instant(month, place), first_instant(next_month(month), place)
    return Question(*span, kpis=HEADLINES, zone=zone, as_of_ms=as_of_ms)


def values_of(client: Client, question: Question, rules: Rules) -> dict[str, Value]:
    """The KPIs of a whole range; none of which anything was counted, where there is nothing."""
    rows = answer(client, question, rules)
    empty = {"value": None, "n": 0, "num": 0, "den": 0, "final": True}
    known = every_kpi(rules)
    found: dict[str, Value] = rows[0]["kpis"] if rows else {}
    return {id_: found.get(id_) or empty | {"unit": known[id_].unit} for id_ in question.kpis}


def series_of(client: Client, question: Question, rules: Rules) -> list[Series]:
    """KPIs by day: every day of the month has its place."""
    zone = ZoneInfo(question.zone)
    by_day: dict[date, dict[str, Value]] = {}
    for row in answer(client, replace(question, every="1d", kpis=BY_DAY), rules):
        by_day[datetime.fromisoformat(row["window_start"]).astimezone(zone).date()] = row["kpis"]
    starts = edges(question.from_ms, question.to_ms, "1d", zone)[:-1]
    days = [datetime.fromtimestamp(start // 1000, UTC).astimezone(zone).date() for start in starts]
    known = every_kpi(rules)
    return [
        Series(known[id_], days, [by_day[day][id_]["value"] if day in by_day else None for day in days])
        for id_ in BY_DAY
    ]


def monthly(
    client: Client, month: date, zone: str, rules: Rules, targets: Mapping[str, float], as_of_ms: int
) -> Report:
    """The report of a month, all of it read from the stream's tables."""
    question = question_of(month, zone, as_of_ms)
    now = values_of(client, question, rules)
    before = values_of(client, question_of(month_before(month), zone, as_of_ms), rules)
    known = every_kpi(rules)
    lines = [Line(known[id_], now[id_], before[id_], targets.get(id_)) for id_ in HEADLINES]
    queues = answer(client, replace(question, by=("queue",), kpis=BY_QUEUE), rules)
    moment = datetime.fromtimestamp(as_of_ms // 1000, UTC).astimezone(ZoneInfo(zone))
    return Report(
        month,
        zone,
        f"{moment:%Y-%m-%d %H:%M} {zone}",
        not all(value["final"] for value in now.values()) or as_of_ms < question.to_ms,
        lines,
        [(row["queue"] or "(none)", row["kpis"]) for row in queues],
        series_of(client, question, rules),
    )
