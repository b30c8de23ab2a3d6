"""How a KPI is made, in words: its quotient of measures, or what stands in its place."""

from datetime import UTC, datetime

from kpis.catalogue.figure import (
    Figure,
    Longest,
    LongestWaitNow,
    PeakHour,
    Quantile,
    unknown_figure,
)
from kpis.catalogue.kpi import Kpi, Terms


def side(terms: Terms) -> str:
    """One side of a quotient."""
    text = ""
    for measure, factor in terms.items():
        sign = "-" if factor < 0 else "+"
        times = "" if abs(factor) == 1 else f"{abs(factor):,} × "
        text += f" {sign} {times}`{measure}`" if text or factor < 0 else f"{times}`{measure}`"
    return text.strip()


def figure_formula(figure: Figure) -> str:
    """What stands in place of a quotient."""
    match figure:
        case Longest(duration):
            return f"the greatest `{duration}`"
        case LongestWaitNow():
            return "the greatest age of a waiting leg"
        case Quantile():
            return "lower quantile of single values"
        case PeakHour():
            return "the four quarter-hours in a row with most `contacts`"
    raise unknown_figure(figure, "kpis/catalogue/formula.py")


def day_of(time_ms: int) -> str:
    """A moment from which rules are others."""
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def formula(kpi: Kpi) -> str:
    """How a KPI is made of measures."""
    if kpi.figure is not None:
        return figure_formula(kpi.figure)
    num = f"({side(kpi.num)})" if len(kpi.num) > 1 and kpi.den else side(kpi.num)
    single = [*kpi.den.values()] == [1]
    quotient = f"{num} / {side(kpi.den)}" if single else f"{num} / ({side(kpi.den)})"
    text = quotient if kpi.den else num
    if kpi.table != "fcr":
        return text
    which = {
        "final": ", of those whose window has passed",
        "pending": ", of those whose window has not passed",
    }
    later = "".join(f" ({days} d from {day_of(since)} on)" for since, days in kpi.dated_days)
    return f"{text}, within {kpi.days} d{later}{which.get(kpi.maturity, '')}"
