"""What a notification says: what dipped, where, how far, since when, of how many, and how to look into it."""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from alerts.counting import is_gauge, percent_of, scale_of
from alerts.label_sets import LabelSet
from alerts.rule import PLACE, SQL, Group, Rule
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
from kpis.catalogue.kpi import Kpi
from kpis.dips.ladder import Look
from kpis.dips.machine import Transition
from reports.explain.reading import utc_text
from schemas.time_units import MINUTE_MS, QUARTER_MS

WORD = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
ANNOTATION_MAX = 4_000  # with all labels filled in
NO_DATA, REASON_NO_DATA = "no data", "no_data"
MEMBERS_MAX = 100  # alerts that a message about several carries, for programs
# What a message about several has not: a figure of its own.
ABOUT_SEVERAL: dict[str, Any] = {
    "kpi": "",
    "value": "",
    "objective": "",
    "n": 0,
    "window_ms": 0,
    "provisional": False,
}
MEMBER = (
    "episode",
    "status",
    "alert",
    "kpi",
    "labels",
    "annotations",
    "objective",
    "value",
    "n",
    "window_ms",
    "opened_at",
    "at",
)


# What a query has for a KPI: figures without a unit.
QUERIED = Kpi(id=SQL, name="a query", unit="count", grain="range", booked="entered", definition="", source="")


def percent(numerator: int, denominator: int) -> str:
    """A share in percent with one decimal."""
    return f"{100 * numerator / denominator:.1f} %" if denominator else "-"


def filled(text: str, words: dict[str, str]) -> str:
    """The text with {{ word }} replaced; plain substitution, nothing in it is run."""
    return WORD.sub(lambda place: words.get(place[1], place[0]), text)


def further_labels(labels: LabelSet) -> LabelSet:
    """Labels that are dimensions beside channel and queue."""
    return tuple(each for each in labels if each[0] not in PLACE)


def explain_command(kpi: Kpi, labels: LabelSet, opened_at: int) -> str:
    """The command that lists the contacts behind it."""
    where = [part for name, value in labels if name in PLACE for part in (f"--{name}", value)]
    where += [part for name, value in further_labels(labels) for part in ("--where", f"{name}={value}")]
    window = utc_text(opened_at // QUARTER_MS * QUARTER_MS)[:16] + "Z"
    return shlex.join(["ringback", "explain", kpi.id, "--window", window, "--every", "15m", *where])


def of_episode(episode: str) -> str:
    """The command that says what was decided."""
    return f"ringback alerts explain {episode}"


def amount(kpi: Kpi, num: int, den: int) -> str:
    """A value of the KPI in words: a share in percent, a time in seconds, a count as it is."""
    if not kpi.den or not den:
        return f"{num / 1000:.1f} s" if kpi.unit == "ms" else f"{num:,}"
    if kpi.unit == "ratio":
        return percent(num, den)
    return f"{num / den / 1000:.1f} s" if kpi.unit == "ms" else f"{num / den:,.2f}"


def quotient(num: int, den: int) -> str:
    """A figure of a query: whole if it is, else with four digits."""
    value = num / den if num % den else num // den
    return f"{value:,.4g}" if isinstance(value, float) and abs(value) < 1_000 else f"{value:,.0f}"


def objective(rule: Rule, target: str) -> str:
    """What is wanted, as a sentence goes on: a dip is below it, a rise above."""
    if isinstance(rule.when, AbsenceWhen | SeasonalWhen):
        return target
    return f"{'at least' if rule.when.op == '<' else 'at most'} {target}"


def wanted(rule: Rule, kpi: Kpi, seen: Look) -> str:
    """What is wanted, in words."""
    match rule.when:
        case ObjectiveWhen() | BurnRateWhen() as when:
            return percent(when.target.numerator, when.target.denominator)
        case MaturedWhen() as when:
            found = [
                f"{percent(t.numerator, t.denominator)} in {d} d" for d, t in sorted(when.targets.items())
            ]
            return ", ".join(found)
        case LogMeanWhen() as when:
            return amount(kpi, when.target.numerator, when.target.denominator)
        case ThresholdWhen() as when if kpi.den:
            return amount(kpi, when.limit.numerator, when.limit.denominator)
        case ThresholdWhen() as when:
            limit = float(when.limit)
            return f"{limit / 1000:.1f} s" if kpi.unit == "ms" else f"{limit:,g}"
        case SqlWhen() as when:
            return quotient(when.limit.numerator, when.limit.denominator)
        case AbsenceWhen() | SeasonalWhen():
            return f"some {seen.n:,} as in the same hours of earlier weeks"


def value_of(rule: Rule, kpi: Kpi, seen: Look, silent: bool = False) -> str:
    """How it is, in words. `silent`: it fired as nobody called."""
    if silent:
        return NO_DATA
    if isinstance(rule.when, SqlWhen):
        return quotient(seen.successes, seen.n)
    if isinstance(rule.when, AbsenceWhen | SeasonalWhen):
        return f"{seen.successes:,}"
    if is_gauge(kpi):
        return amount(kpi, seen.successes, 0)
    if percent_of(kpi) and isinstance(rule.when, ThresholdWhen):
        side = "below" if rule.when.op == "<" else "above"
        return f"{seen.successes:,} of {seen.n:,} {side} {wanted(rule, kpi, seen)}"
    return amount(kpi, seen.successes, seen.n * scale_of(kpi))


def contacts_of(rule: Rule, seen: Look) -> int:
    """On how many contacts it is said. What compares with earlier weeks looks at those that were expected."""
    return seen.successes if isinstance(rule.when, AbsenceWhen | SeasonalWhen) else seen.n


def member(body: Mapping[str, Any]) -> dict[str, object]:
    """One alert of a message about several."""
    return {name: body[name] for name in MEMBER}


def digest(bodies: Sequence[dict[str, Any]]) -> dict[str, object]:
    """One message about what began and ended while nothing could be told."""
    lines = [f"{each['alert']} {' '.join(each['labels'].values())} at {each['opened_at']}" for each in bodies]
    last = max(bodies, key=lambda each: str(each["at"])) | ABOUT_SEVERAL
    more = f", and {len(lines) - 20} more" if len(lines) > 20 else ""
    summary = (
        f"{len(lines)} alerts fired and ended while nothing could be told: {'; '.join(lines[:20])}{more}"
    )
    return last | {
        "episode": "digest",
        "status": "digest",
        "alert": "MissedAlerts",
        "labels": {"severity": "ticket"},
        "annotations": {"summary": summary},
        "alerts": [member(each) for each in bodies[:MEMBERS_MAX]],
        "explain": "ringback alerts list",
    }


def message(
    group: Group,
    rule: Rule,
    kpi: Kpi,
    labels: LabelSet,
    changed: Transition,
    seen: Look,
    episode: str,
    silent: bool = False,
) -> dict[str, object]:
    """The notification as receivers get it; each puts it into its own form (`silent`: as in value_of)."""
    target, n = wanted(rule, kpi, seen), 0 if silent else contacts_of(rule, seen)
    is_query = isinstance(rule.when, SqlWhen)
    window_ms = 0 if silent or is_query else seen.window_ms
    words = dict(labels) | {
        "alert": rule.alert,
        "kpi": rule.about,
        "value": value_of(rule, kpi, seen, silent),
        "n": str(n),
        "target": target,
        "window": f"{window_ms // MINUTE_MS} min",
    }
    return ({"reason": REASON_NO_DATA} if changed.silent else {}) | {
        "episode": episode,
        "status": changed.to,
        "alert": rule.alert,
        "kpi": rule.about,
        "labels": dict(labels) | group.labels | rule.labels,
        "annotations": {
            name: filled(text, words)[:ANNOTATION_MAX] for name, text in rule.annotations.items()
        },
        "objective": objective(rule, target),
        "value": words["value"],
        "n": n,
        "window_ms": window_ms,
        "opened_at": utc_text(changed.opened_at),
        "at": utc_text(changed.at),
        "explain": of_episode(episode) if is_query else explain_command(kpi, labels, changed.opened_at),
        "provisional": is_gauge(kpi) or (kpi.maturity in ("all", "pending") and kpi.booked == "ended"),
    }
