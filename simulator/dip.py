"""The contact centre of the demo: the usual one, well staffed, but that most agents of one queue go away."""

from dataclasses import replace

from schemas.time_units import HOUR_MS, MINUTE_MS
from simulator.default import DEFAULT_SHAPE
from simulator.shape import Away, Shape

QUEUE = "sales"
AWAY_AFTER_MS, AWAY_FOR_MS, PRESENT = HOUR_MS + 15 * MINUTE_MS, 45 * MINUTE_MS, 0.1
STAFF = 1.6  # of the usual one, so that no other queue dips


def with_dip(start_ms: int) -> Shape:
    """The default shape with a dip of one queue, an hour and a quarter after the start."""
    begin = start_ms + AWAY_AFTER_MS
    away = Away(begin, begin + AWAY_FOR_MS, PRESENT)
    queues = [replace(each, agents=round(each.agents * STAFF)) for each in DEFAULT_SHAPE.queues]
    return replace(
        DEFAULT_SHAPE,
        queues=tuple(replace(each, away=(away,)) if each.name == QUEUE else each for each in queues),
    )
