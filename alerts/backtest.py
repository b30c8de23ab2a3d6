"""Rules over history: what would have paged, and when."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from alerts.counting import WINDOWS, Source
from alerts.detectors import detector_of
from alerts.episodes import Episode, of_parts
from alerts.evaluate import settle_of
from alerts.known import AsKnown, Feed, feeds_of, live_places
from alerts.label_sets import LabelSet, Minutes, minutes_of, parts_of, series_of
from alerts.rule import Group, Rule, RuleFile
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from kpis.dips.detector import Detector
from kpis.dips.ladder import Series
from kpis.rules import Rules
from reports.published import Publication, publications


def is_as_now(source: Source) -> bool:
    """Is it taken as it is known now? So is all but windows by minute: what was usual, and facts."""
    return bool(source.further) or source.hourly or source.table not in (WINDOWS.table, "fcr")


@dataclass(frozen=True, slots=True)
class Course:
    """What a rule looked at for one label set, as it is known at the end, and its episodes."""

    group: str
    rule: Rule
    kpi: Kpi
    labels: LabelSet
    parts: list[Series]
    episodes: list[Episode]


@dataclass(frozen=True, slots=True)
class Backtest:
    """All rules and label sets. Of `minutes`, `then` are judged by what was known at their time."""

    courses: list[Course]
    minutes: int
    then: int

    @property
    def episodes(self) -> list[Episode]:
        """By the time they fired."""
        found = [episode for course in self.courses for episode in course.episodes]
        return sorted(found, key=lambda one: (one.fired_at, one.alert, one.labels))


def backtest(
    client: Client, file: RuleFile, rules: Rules, zone: str, span: tuple[int, int], then: bool
) -> Backtest:
    """All rules but queries in (begin, end]; by what was known at each moment (`then`), or is known now."""
    kpis, courses, minutes_n, live_n = every_kpi(rules), list[Course](), 0, 0
    for group in file.groups:
        detectors = {rule.alert: detector_of(rule, kpis[rule.kpi], zone) for rule in group.counted}
        minutes = minutes_of(client, group, kpis, detectors, span, rules)
        published = published_of(client, group, kpis, minutes, span) if then else {}
        for source, found in minutes.items():
            inside = [
                (each.minute, each.channel, each.queue) for each in found if span[0] <= each.minute < span[1]
            ]
            if not is_as_now(source):
                live = live_places(published.get(source, ()))
                minutes_n += len(inside)
                live_n += sum(place in live for place in inside)
        for rule in group.counted:
            courses += of_rule(group, rule, kpis, detectors[rule.alert], minutes, published, span, rules)
    return Backtest(courses, minutes_n, live_n)


def published_of(
    client: Client, group: Group, kpis: Mapping[str, Kpi], minutes: Minutes, span: tuple[int, int]
) -> dict[Source, list[Publication]]:
    """Publications of each table that a group reads, from its first minute to the end."""
    found, step = {}, math.gcd(group.interval, settle_of(group))
    for source, known in minutes.items():
        if is_as_now(source) or not known:
            continue
        names: dict[str, None] = {}
        for rule in group.counted:
            for own, kpi in parts_of(rule, kpis[rule.kpi], kpis):
                if own == source:
                    names.update(dict.fromkeys((*kpi.num, *kpi.den)))
        reach = known[0].minute, span[1]
        found[source] = list(publications(client, [*names], source.days, reach, step))
    return found


def of_rule(
    group: Group,
    rule: Rule,
    kpis: Mapping[str, Kpi],
    detector: Detector,
    minutes: Minutes,
    published: Mapping[Source, list[Publication]],
    span: tuple[int, int],
    rules: Rules,
) -> list[Course]:
    """One rule, label set by label set."""
    kpi, found = kpis[rule.kpi], series_of(rule, kpis, minutes, rules.async_channels)
    fed: dict[LabelSet, list[Feed]] = {labels: [] for labels in found}
    for number, (source, own) in enumerate(parts_of(rule, kpi, kpis)):
        if not published.get(source):
            continue
        for labels, feed in feeds_of(
            rule, own, published[source], minutes[source], rules.async_channels
        ).items():
            parts = found.setdefault(labels, [Series() for _ in parts_of(rule, kpi, kpis)])
            parts[number] = feed.series
            fed.setdefault(labels, []).append(feed)
    courses = []
    for labels, parts in found.items():
        looking = AsKnown(detector, tuple(fed[labels]), settle_of(group)) if fed[labels] else detector
        episodes = list(of_parts(group, rule, kpi, labels, parts, span, looking))
        courses.append(Course(group.name, rule, kpi, labels, parts, episodes))
    return courses
