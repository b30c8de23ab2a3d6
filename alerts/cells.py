"""Running sums of KPIs by channel and queue, kept between evaluations: what changed is counted anew."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from alerts.counting import is_bounded, looked_at
from kpis.catalogue.kpi import Kpi, total
from kpis.dips.ladder import Series
from reports.minutes import MinuteSums

Cell = tuple[str, str]  # channel, queue
Sums = Mapping[str, int]


def counted(kpi: Kpi, sums: Sums) -> tuple[int, int]:
    """Numerator and denominator of a minute; of a count both are the same."""
    num = total(kpi.num, sums)
    return num, total(kpi.den, sums) if kpi.den else num


def add(series: Series, kpi: Kpi, minute: int, num: int, den: int) -> None:
    """A minute, if anything was counted in it."""
    if (found := looked_at(num, den, is_bounded(kpi))) is not None:
        series.add(minute, *found)


class Cells:
    """The minutes that were read last, and series made of them."""

    def __init__(self) -> None:
        self.begin = 0  # from when on minutes are read: what is before does not matter any more
        self._read: Sequence[MinuteSums] | None = None
        self._known: dict[Cell, dict[int, Sums]] = {}
        self._places: list[MinuteSums] = []
        self._series: dict[Cell, dict[str, tuple[Series, int]]] = {}  # and up to which minute it is counted

    def take(self, read: Sequence[MinuteSums]) -> None:
        """All minutes that are to be looked at, in their order."""
        if read is self._read:
            return
        now: dict[Cell, dict[int, Sums]] = {}
        for row in read:
            now.setdefault((row.channel, row.queue), {})[row.minute] = row.sums
        for cell in [gone for gone in self._series if gone not in now]:
            del self._series[cell]
        for cell, own in self._series.items():
            keep = unchanged_before(self._known[cell], now[cell], self.begin)
            for kpi, (series, upto) in own.items():
                if len(series.minutes) > 2 * len(now[cell]) + 60:
                    keep = -1  # what is long over goes
                series.truncate(bisect_left(series.minutes, keep))
                own[kpi] = series, min(upto, keep - 1)
        if now.keys() != self._known.keys() or not self._places:
            self._places = [MinuteSums(0, *cell, {}) for cell in sorted(now)]
        self._read, self._known = read, now

    @property
    def places(self) -> list[MinuteSums]:
        """Where there is anything, as minutes without sums."""
        return self._places

    def series(self, kpi: Kpi, cell: Cell) -> Series:
        """Of a KPI in a cell. It changes with the next `take`: not to be kept."""
        own, minutes = self._series.setdefault(cell, {}), self._known[cell]
        series, upto = own.get(kpi.id, (None, -1))
        last = next(reversed(minutes))
        if series is not None and upto == last:  # another rule has asked
            return series
        if series is None:
            series = Series()
        for minute in those_after(minutes, upto):
            add(series, kpi, minute, *counted(kpi, minutes[minute]))
        own[kpi.id] = series, last
        return series


def unchanged_before(before: Mapping[int, Sums], now: dict[int, Sums], begin: int) -> int:
    """The first minute from a time on that changed, came or went."""
    changed = [minute for minute, sums in now.items() if before.get(minute) != sums]
    changed += [minute for minute in before if minute >= begin and minute not in now]
    return min(changed, default=next(reversed(now)) + 1)


def those_after(minutes: dict[int, Sums], last: int) -> list[int]:
    """Those after a minute, in their order: mostly one or none."""
    found = []
    for minute in reversed(minutes):
        if minute <= last:
            break
        found.append(minute)
    return found[::-1]
