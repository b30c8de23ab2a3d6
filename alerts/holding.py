"""What is not sent now, though it was decided: silenced, muted, or said by a greater alert already."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from alerts.label_sets import LabelSet
from alerts.matchers import named
from alerts.receivers import DAYS, Mute, Receiver, Receivers
from alerts.routing import is_muted_for
from alerts.rule import SQL, RuleFile
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
    by: tuple[str, ...] = ()
    op: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)  # of the rule and its group


def known_rules(file: RuleFile) -> dict[str, Known]:
    """The rules of a file by their names."""
    return {
        rule.alert: Known(
            rule.when.type,
            rule.about,
            (group.labels | rule.labels).get("severity", "page"),
            rule.by,
            getattr(rule.when, "op", ""),
            group.labels | rule.labels,
        )
        for group in file.groups
        for rule in group.rules
    }


def is_muted(mute: Mute, now: int) -> bool:
    """Is it one of the hours in which nobody is to be told?"""
    local = datetime.fromtimestamp(now / 1000, ZoneInfo(mute.zone))
    clock = f"{local:%H:%M}"
    today = local.date() in mute.dates if mute.dates else DAYS[local.weekday()] in mute.days
    return today and mute.begin <= clock < mute.to


def inhibits(
    alert: str, labels: Mapping[str, str], own: Mapping[str, str], kind: Known, other: Known, mine: str
) -> bool:
    """Does an alert that fires make another one superfluous? What is compared must be there on both sides.

    A silent channel explains its KPIs, a channel its queues; a page says what the ticket about the same does.
    """
    if alert == mine:
        return False
    covers = bool(labels) and all(own.get(name) == value for name, value in labels.items())
    if kind.kind == "absence" and other.kind != "absence":
        return covers and bool(labels.get("channel"))
    if not covers or kind.kpi != other.kpi or kind.kind == SQL:  # two queries are about two things
        return False
    wider = {*labels} < {*other.by} and (kind.severity, kind.op) == (other.severity, other.op)
    return wider or (kind.severity == "page" and other.severity == "ticket")


class Holding:
    """Asked before each try: until when is it held back, and why?"""

    def __init__(self, silences: Silences, rules: Mapping[str, Known], told: Receivers | None = None) -> None:
        self._silences, self._rules = silences, rules
        self._told = told or Receivers(version=1)
        self._intervals = {each.name: each for each in self._told.time_intervals}

    def until(
        self, body: Mapping[str, Any], receiver: Receiver, firing: Iterable[tuple[str, LabelSet]], now: int
    ) -> tuple[int, str]:
        """(0, "") where nothing is in the way. Ends are told all the same: who knows the begin waits."""
        if body["status"] != "firing":
            return 0, ""
        alert, labels = body["alert"], body["labels"]
        if ends := self._silences.until(alert, labels, now):
            return min(ends, now + ASK_AGAIN_MS), "silenced"
        if any(is_muted(mute, now) for mute in receiver.mute) or is_muted_for(
            receiver, self._told.route, self._intervals, body, now
        ):
            return now + ASK_AGAIN_MS, MUTED
        if (mine := self._rules.get(alert)) and (says := self._who_says_it(alert, labels, mine, firing)):
            return now + ASK_AGAIN_MS, f"{says} says it"
        return 0, ""

    def _who_says_it(
        self, alert: str, labels: Mapping[str, str], mine: Known, firing: Iterable[tuple[str, LabelSet]]
    ) -> str:
        """The name of an alert that fires and makes this one superfluous; "" where there is none."""
        own = named(alert, labels)
        for other, found in firing:
            kind, where = self._rules.get(other), dict(found)
            if kind is None:
                continue
            if inhibits(other, where, labels, kind, mine, alert):
                return other
            source = named(other, {**where, **kind.labels})
            if source != own and any(each.covers(source, own) for each in self._told.inhibit_rules):
                return other
        return ""
