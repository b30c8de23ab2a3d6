"""What a notification says: what dipped, where, how far, since when, of how many, and how to look into it."""

import re
import shlex
from datetime import UTC, datetime

from alerts.label_sets import LabelSet
from alerts.rule import Group, Rule
from kpis.dips.ladder import Look
from kpis.dips.machine import Transition
from reports.explain.reading import utc_text
from schemas.time_units import MINUTE_MS

PLACE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")


def percent(numerator: int, denominator: int) -> str:
    """A share in percent with one decimal."""
    return f"{100 * numerator / denominator:.1f} %" if denominator else "-"


def filled(text: str, words: dict[str, str]) -> str:
    """The text with {{ word }} replaced; plain substitution, nothing in it is run."""
    return PLACE.sub(lambda place: words.get(place[1], place[0]), text)


def explain_command(rule: Rule, labels: LabelSet, opened_at: int) -> str:
    """The command that lists the contacts behind it."""
    where = [part for name, value in labels for part in (f"--{name}", value)]
    window = datetime.fromtimestamp(opened_at // 900_000 * 900, UTC).strftime("%Y-%m-%dT%H:%MZ")
    return shlex.join(["ringback", "explain", rule.kpi, "--window", window, "--every", "15m", *where])


def message(
    group: Group, rule: Rule, labels: LabelSet, changed: Transition, seen: Look, episode: str
) -> dict[str, object]:
    """The notification as receivers get it; each puts it into its own form."""

    target = percent(rule.when.target.numerator, rule.when.target.denominator)
    words = dict(labels) | {
        "alert": rule.alert,
        "kpi": rule.kpi,
        "value": percent(seen.successes, seen.n),
        "n": str(seen.n),
        "target": target,
        "window": f"{seen.window_ms // MINUTE_MS} min",
    }
    return {
        "episode": episode,
        "status": changed.to,
        "alert": rule.alert,
        "kpi": rule.kpi,
        "labels": dict(labels) | group.labels | rule.labels,
        "annotations": {name: filled(text, words) for name, text in rule.annotations.items()},
        "objective": f"{rule.when.op} {target}",
        "value": words["value"],
        "n": seen.n,
        "window_ms": seen.window_ms,
        "opened_at": utc_text(changed.opened_at),
        "at": utc_text(changed.at),
        "explain": explain_command(rule, labels, changed.opened_at),
    }
