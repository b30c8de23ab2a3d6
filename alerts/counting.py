"""What of a KPI is counted minute by minute, and so can be added up over the windows of a rule."""

from dataclasses import replace
from typing import NamedTuple

from alerts.rule import Rule
from alerts.when import ThresholdWhen
from kpis.catalogue.figure import Longest, Quantile
from kpis.catalogue.kpi import Kpi
from reports.beyond_minutes import Limits

# Where nothing but agents is known: neither channel nor queue.
OF_AGENTS = {"agents": ("agent", "team"), "states": ("agent", "team", "reason")}


class Source(NamedTuple):
    """Read by minute or by hour; of repeat contacts the days. By further dimensions: from facts."""

    table: str
    days: int = 0
    further: tuple[str, ...] = ()
    hourly: bool = False
    limits: Limits | None = None  # of single durations: how many are beyond these


WINDOWS = Source("windows")
# What legs are at a moment, by KPI.
GAUGES = {
    "waiting_now": Source("waiting"),
    "longest_wait_now": Source("waiting"),
    "active_now": Source("active"),
    "acw_now": Source("acw"),
}


def is_gauge(kpi: Kpi) -> bool:
    """Is it what legs are at a moment: how many wait, and the longest of them, how many are served?"""
    return kpi.id in GAUGES


def is_counted(kpi: Kpi) -> bool:
    """Is each leg, contact, answer or piece of an agent's time of one minute, and known by then?

    What ripens is not: it is counted once its window has passed, or until then.
    """
    if kpi.table == "fcr":
        return kpi.maturity == "all" and not kpi.dated_days
    return kpi.table in ("windows", "surveys", "callbacks", "agents", "states")


def is_share(kpi: Kpi) -> bool:
    """Is it a share of legs, contacts or answers, each of which is good or not? Of time it is none."""
    return is_counted(kpi) and is_bounded(kpi) and kpi.grain != "agent"


def is_bounded(kpi: Kpi) -> bool:
    """Does its numerator count some of what its denominator counts?"""
    return kpi.unit == "ratio" and not kpi.n


def percent_of(kpi: Kpi) -> int:
    """Of single durations: which percentile; 100 for the longest, and 0 for what is neither."""
    match kpi.figure:
        case Quantile(_, percent):
            return percent
        case Longest():
            return 100
    return 0


def beyond_of(rule: Rule, kpi: Kpi) -> tuple[str, Limits] | None:
    """Of a percentile: which durations it is of, the limit, and where it is over; None for any other KPI."""
    when = rule.when
    if not isinstance(kpi.figure, Quantile | Longest) or not isinstance(when, ThresholdWhen):
        return None
    return kpi.figure.duration, Limits(when.op == "<", when.limit, when.over_at)


def source_of(kpi: Kpi) -> Source:
    """Where its minutes are."""
    if is_gauge(kpi):
        return GAUGES[kpi.id]
    if kpi.table == "surveys" and kpi.booked == "responded":
        return Source("responses")
    return Source(kpi.table, kpi.days if kpi.table == "fcr" else 0)


def per_one(kpi: Kpi) -> Kpi:
    """The KPI divided by how many were counted: what its terms were multiplied by is for `scale_of`."""
    return replace(kpi, den={kpi.n: 1}) if kpi.n else kpi


def scale_of(kpi: Kpi) -> int:
    """What a quotient of `per_one` is to be divided by."""
    return kpi.den[kpi.n] if kpi.n else 1


def looked_at(num: int, den: int, bounded: bool) -> tuple[int, int] | None:
    """What is counted in a minute as it is added up; None for nothing.

    Shares are between nothing and all, whatever corrections are under way. A mean may have a sum in one
    minute and what it is divided by in another: an agent's time, and the session that it is of.
    """
    if den > 0:
        return min(max(num, 0), den) if bounded else num, den
    return None if bounded or den or not num else (num, 0)
