"""Episodes of a rule: a label set's minutes looked at one after the other."""

from collections.abc import Iterator

from kpis.dips.detector import Detector, Parts
from kpis.dips.machine import Standing, Step, Timing, Transition, step


def transitions(
    parts: Parts,
    span: tuple[int, int],
    step_ms: int,
    detector: Detector,
    timing: Timing,
    standing: Standing | None = None,
) -> Iterator[tuple[Standing, Transition | None]]:
    """Standing and change at each step in (begin, end], from the minutes that are over by then."""
    now = standing or Standing()
    begin, end = span
    for at in range(begin + step_ms, end + 1, step_ms):
        quiet = detector.quiet(parts, at, now.restart)
        if now.state == "inactive" and (
            not (timing.no_data == "alert" and detector.came(parts, at))
            if quiet
            else detector.is_fine(parts, at, now.restart)
        ):
            yield now, None
            continue
        seen = detector.look(parts, at, now.restart)
        now, changed = step(now, Step(at, step_ms, seen.breach, seen.fresh_off, quiet), timing)
        yield now, changed
