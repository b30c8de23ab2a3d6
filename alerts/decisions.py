"""What a rule decides over a stretch of time: rows as alert_transitions has them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alerts.detectors import timing_of
from alerts.label_sets import LabelSet, Minutes, series_of
from alerts.rule import Group, Rule
from kpis.catalogue.kpi import Kpi
from kpis.dips.detector import Detector, Parts
from kpis.dips.episodes import transitions
from kpis.dips.ladder import Look
from kpis.dips.machine import Standing, Timing, Transition

TOLD = ("firing", "resolved", "expired")


@dataclass(frozen=True, slots=True, order=True)
class Decision:
    """A change of an alert that people are told of, and the counts it was decided by. Times are UTC ms."""

    at: int
    alert: str
    labels: LabelSet
    kind: str
    opened_at: int
    window_ms: int
    successes: int
    n: int


def told_changes(
    parts: Parts,
    span: tuple[int, int],
    step_ms: int,
    detector: Detector,
    timing: Timing,
    standing: Standing | None = None,
) -> Iterator[tuple[Standing, Transition | None, Look | None]]:
    """Each step's standing; with a change that people are told of, what was looked at."""
    before = standing or Standing()
    for now, changed in transitions(parts, span, step_ms, detector, timing, before):
        told = changed is not None and changed.to in TOLD
        seen = detector.look(parts, changed.at, before.restart) if told and changed is not None else None
        yield now, changed if told else None, seen
        before = now


def decisions(
    group: Group,
    rule: Rule,
    kpis: Mapping[str, Kpi],
    detector: Detector,
    minutes: Minutes,
    span: tuple[int, int],
    async_channels: tuple[str, ...],
) -> list[Decision]:
    """Decisions in (begin, end] of all label sets, none of which was anything but inactive before."""
    found = []
    for labels, parts in series_of(rule, kpis, minutes, async_channels).items():
        steps = told_changes(parts, span, group.interval, detector, timing_of(rule))
        for _, changed, seen in steps:
            if changed is not None and seen is not None:
                found.append(decision(rule, labels, changed, seen))
    return sorted(found)


def decision(rule: Rule, labels: LabelSet, changed: Transition, seen: Look) -> Decision:
    """A change with what was looked at."""
    counts = seen.window_ms, seen.successes, seen.n
    return Decision(changed.at, rule.alert, labels, changed.to, changed.opened_at, *counts)
