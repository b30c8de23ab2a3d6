"""Episodes of a rule over a stretch of history: what would have been paged, and when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from alerts.detectors import timing_of
from alerts.label_sets import LabelSet, Minutes, series_of
from alerts.message import value_of
from alerts.rule import Group, Rule
from kpis.catalogue.kpi import Kpi
from kpis.dips.detector import Detector
from kpis.dips.episodes import transitions
from kpis.dips.ladder import Look, Series


@dataclass(frozen=True, slots=True)
class Episode:
    """A time for which an alert was firing, event time in UTC ms; `ended_at` None: it still is."""

    alert: str
    kpi: str
    labels: LabelSet
    began_at: int  # of the breach
    fired_at: int
    ended_at: int | None
    ending: str  # resolved, expired, or "" while it is firing
    seen: Look  # when it fired
    value: str  # the same in words


def episodes(
    group: Group,
    rule: Rule,
    kpis: Mapping[str, Kpi],
    detector: Detector,
    minutes: Minutes,
    span: tuple[int, int],
    async_channels: tuple[str, ...],
) -> Iterator[Episode]:
    """Episodes of a rule in [begin, end), all label sets, each by its own history."""
    for labels, parts in series_of(rule, kpis, minutes, async_channels).items():
        yield from of_parts(group, rule, kpis[rule.kpi], labels, parts, span, detector)


def of_parts(
    group: Group,
    rule: Rule,
    kpi: Kpi,
    labels: LabelSet,
    parts: list[Series],
    span: tuple[int, int],
    detector: Detector,
) -> Iterator[Episode]:
    """Episodes of one label set."""
    firing: Episode | None = None
    for now, changed in transitions(parts, span, group.interval, detector, timing_of(rule)):
        if changed is None:
            continue
        if changed.to == "firing":
            seen = detector.look(parts, changed.at, now.restart)
            firing = Episode(
                rule.alert,
                rule.kpi,
                labels,
                changed.opened_at,
                changed.at,
                None,
                "",
                seen,
                value_of(rule, kpi, seen, changed.silent),
            )
        elif firing is not None and changed.to in ("resolved", "expired"):
            yield replace(firing, ended_at=changed.at, ending=changed.to)
            firing = None
    if firing is not None:
        yield firing
