"""Rules over history as live would have decided: each step sees what had been published by then."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from alerts.counting import is_bounded, looked_at
from alerts.label_sets import LabelSet, added, is_meant, labels_at
from alerts.rule import Rule
from kpis.catalogue.kpi import Kpi
from kpis.dips.detector import Detector, Parts
from kpis.dips.ladder import Look, Series
from reports.minutes import MinuteSums
from reports.published import Publication
from schemas.time_units import DAY_MS

# What became known later than this after its minute was imported: live had no say in it.
IMPORTED_MS = DAY_MS
Place = tuple[int, str, str]  # minute, channel, queue


def live_places(found: Iterable[Publication]) -> set[Place]:
    """Minutes of queues that were published when they happened."""
    first: dict[Place, int] = {}
    for each in found:
        first.setdefault((each.minute, each.channel, each.queue), each.known_at)
    return {place for place, known_at in first.items() if known_at <= place[0] + IMPORTED_MS}


@dataclass(slots=True)
class Feed:
    """One series of a label set that grows and is corrected while time passes."""

    kpi: Kpi
    coming: Sequence[Publication]  # in the order they became known
    series: Series = field(default_factory=Series)
    _next: int = 0
    _cells: dict[tuple[int, str, str, int], tuple[int, int, int]] = field(default_factory=dict)
    _totals: dict[int, tuple[int, int]] = field(default_factory=dict)
    _minutes: list[int] = field(default_factory=list)

    def begin(self, known: Iterable[MinuteSums]) -> None:
        """Minutes that are taken as they are known now."""
        for minute in known:
            num, den = added(None, self.kpi, minute.sums)
            self._change(minute.minute, num, den)
        if self._minutes:
            self._rebuild(self._minutes[0])

    def until(self, moment: int) -> None:
        """Let come what was published up to a moment."""
        changed = []
        while self._next < len(self.coming) and self.coming[self._next].known_at <= moment:
            each = self.coming[self._next]
            self._next += 1
            key = each.minute, each.channel, each.queue, each.partition
            version, num, den = self._cells.get(key, (-1, 0, 0))
            if each.version > version:
                now = added(None, self.kpi, each.sums)
                self._cells[key] = each.version, *now
                self._change(each.minute, now[0] - num, now[1] - den)
                changed.append(each.minute)
        if changed:
            self._rebuild(min(changed))

    def _change(self, minute: int, num: int, den: int) -> None:
        if minute not in self._totals:
            insort(self._minutes, minute)
        before = self._totals.get(minute, (0, 0))
        self._totals[minute] = before[0] + num, before[1] + den

    def _rebuild(self, minute: int) -> None:
        """The running sums from a minute on."""
        own = self.series
        own.truncate(bisect_left(own.minutes, minute))
        for each in self._minutes[bisect_left(self._minutes, minute) :]:
            if (found := looked_at(*self._totals[each], is_bounded(self.kpi))) is not None:
                own.add(each, *found)


@dataclass(frozen=True, slots=True)
class AsKnown:
    """A detector that looks, at each step, at what could be read `settle_ms` after it."""

    detector: Detector
    feeds: tuple[Feed, ...]
    settle_ms: int

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Those of the detector."""
        return self.detector.spans(begin, end)

    def quiet(self, parts: Parts, at: int, restart: int) -> bool:
        """Asked first at each step: so what has come by then comes now."""
        for feed in self.feeds:
            feed.until(at + self.settle_ms)
        return self.detector.quiet(parts, at, restart)

    def came(self, parts: Parts, at: int) -> bool:
        """As the detector does."""
        return self.detector.came(parts, at)

    def is_fine(self, parts: Parts, at: int, restart: int) -> bool:
        """As the detector does."""
        return self.detector.is_fine(parts, at, restart)

    def look(self, parts: Parts, at: int, restart: int) -> Look:
        """As the detector does."""
        return self.detector.look(parts, at, restart)


def feeds_of(
    rule: Rule,
    kpi: Kpi,
    found: Sequence[Publication],
    minutes: Iterable[MinuteSums],
    async_channels: tuple[str, ...],
) -> dict[LabelSet, Feed]:
    """A feed per label set: of minutes published as they happened; the others are there from the begin on."""
    live = live_places(found)
    coming: dict[LabelSet, list[Publication]] = defaultdict(list)
    known: dict[LabelSet, list[MinuteSums]] = defaultdict(list)
    for each in found:
        about = MinuteSums(each.minute, each.channel, each.queue, {})
        if (each.minute, each.channel, each.queue) in live and is_meant(rule, about, kpi, async_channels):
            coming[labels_at(rule, about)].append(each)
    for minute in minutes:
        place = minute.minute, minute.channel, minute.queue
        if place not in live and is_meant(rule, minute, kpi, async_channels):
            known[labels_at(rule, minute)].append(minute)
    feeds = {labels: Feed(kpi, coming[labels]) for labels in sorted({*coming, *known})}
    for labels, feed in feeds.items():
        feed.begin(known[labels])
    return feeds
