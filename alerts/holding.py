"""What is not sent now, though it was decided: silenced, muted, or said by a greater alert already."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from alerts.label_sets import LabelSet
from alerts.receivers import DAYS, Mute, Receiver
from alerts.rule import RuleFile
from alerts.silences import Silences
from schemas.time_units import MINUTE_MS

ASK_AGAIN_MS = MINUTE_MS
MUTED = "muted"


@dataclass(frozen=True, slots=True)
class Known:
    """Of a rule what decides over others: its type, KPI and severity."""

    kind: str
    kpi: str
    severity: str


def known_rules(file: RuleFile) -> dict[str, Known]:
    """The rules of a file by their names."""
    return {
        rule.alert: Known(rule.when.type, rule.about, (group.labels | rule.labels).get("severity", "page"))
        for group in file.groups
        for rule in group.rules
    }


def is_muted(mute: Mute, now: int) -> bool:
    """Is it one of the hours in which nobody is to be told?"""
    local = datetime.fromtimestamp(now / 1000, ZoneInfo(mute.zone))
    clock = f"{local:%H:%M}"
    return DAYS[local.weekday()] in mute.days and mute.begin <= clock < mute.to


def inhibits(
    alert: str, labels: Mapping[str, str], own: Mapping[str, str], kind: Known, other: Known, mine: str
) -> bool:
    """Does an alert that fires make another one superfluous? What is compared must be there on both sides.

    A silent channel explains its KPIs; a page says what the ticket about the same KPI and labels would.
    """
    if alert == mine:
        return False
    covers = bool(labels) and all(own.get(name) == value for name, value in labels.items())
    if kind.kind == "absence" and other.kind != "absence":
        return covers and bool(labels.get("channel"))
    return covers and kind.kpi == other.kpi and kind.severity == "page" and other.severity == "ticket"


class Holding:
    """Asked before each try: until when is it held back, and why?"""

    def __init__(self, silences: Silences, rules: Mapping[str, Known]) -> None:
        self._silences, self._rules = silences, rules

    def until(
        self, body: Mapping[str, Any], receiver: Receiver, firing: Iterable[tuple[str, LabelSet]], now: int
    ) -> tuple[int, str]:
        """(0, "") where nothing is in the way. Ends are told all the same: who knows the begin waits."""
        if body["status"] != "firing":
            return 0, ""
        alert, labels = body["alert"], body["labels"]
        if ends := self._silences.until(alert, labels, now):
            return min(ends, now + ASK_AGAIN_MS), "silenced"
        if any(is_muted(mute, now) for mute in receiver.mute):
            return now + ASK_AGAIN_MS, MUTED
        mine = self._rules.get(alert)
        for other, where in firing if mine else ():
            kind = self._rules.get(other)
            if kind and mine and inhibits(other, dict(where), labels, kind, mine, alert):
                return now + ASK_AGAIN_MS, f"{other} says it"
        return 0, ""
