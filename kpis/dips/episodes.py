"""Episodes of an objective: a label set's minutes looked at one after the other."""

from collections.abc import Iterator

from kpis.dips.critical import CriticalCounts
from kpis.dips.ladder import Objective, Series, look
from kpis.dips.machine import Standing, Step, Timing, Transition, step


def transitions(
    series: Series,
    span: tuple[int, int],
    step_ms: int,
    objective: Objective,
    timing: Timing,
    counts: CriticalCounts,
    standing: Standing | None = None,
) -> Iterator[tuple[Standing, Transition | None]]:
    """Standing and change at each step in (begin, end], from the minutes that are over by then."""
    now = standing or Standing()
    begin, end = span
    for at in range(begin + step_ms, end + 1, step_ms):
        newest = series.since(at - objective.windows_ms[0], at)[1]
        if not newest and now.state == "inactive":
            yield now, None
            continue
        seen = look(series, at, now.restart, objective, counts)
        now, changed = step(now, Step(at, step_ms, seen.breach, seen.fresh_off, newest == 0), timing)
        yield now, changed
