"""How far behind each partition is, and whether it stands still: no clock and no I/O in here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Where = tuple[str, int]  # topic, partition
STUCK_AFTER_S = 30.0


@dataclass(slots=True)
class Position:
    """Where a process is in a partition: next offset (None: not known), time of the newest record done.

    `even_ms` is when there was last no lag, as far as was looked.
    """

    assigned_ms: int
    following: int | None = None
    stamp_ms: int | None = None
    even_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Lag:
    """Records not yet done, and how far they are behind the present."""

    following: int
    events: int
    seconds: float


class Positions:
    """Positions in the partitions that a process has. Written by its loop, read by the observer's thread."""

    def __init__(self) -> None:
        self._held: dict[Where, Position] = {}

    def assign(self, partitions: Iterable[Where], now_ms: int) -> None:
        """These and no others are ours; where others have been meanwhile is asked of Kafka."""
        self._held = {where: Position(now_ms) for where in partitions}

    def clear(self) -> None:
        """Nothing is ours."""
        self._held = {}

    def done(self, topic: str, partition: int, following: int, stamp_ms: int) -> None:
        """Everything below the offset `following` is done; `stamp_ms` is the last record's time."""
        position = self._held.get((topic, partition))
        if position is not None:
            position.following, position.stamp_ms = following, stamp_ms

    def held(self) -> dict[Where, Position]:
        """All positions at this moment."""
        return dict(self._held)


def lag_of(position: Position, end: int, now_ms: int) -> Lag | None:
    """Lag against the next offset to be written; None while it is not known where we are.

    In seconds: the age of the newest record that is done. But after a quiet hour that record is an hour old,
    and the next one is not: it came after there was last no lag.
    """
    if position.following is None:
        return None
    events = max(end - position.following, 0)
    if events == 0:
        position.even_ms = now_ms
        return Lag(position.following, 0, 0.0)
    known = [stamp for stamp in (position.stamp_ms, position.even_ms) if stamp is not None]
    since = max(known, default=position.assigned_ms)
    return Lag(position.following, events, max(now_ms - since, 0) / 1000)


class StuckDetector:
    """Which partitions have lag while nothing was done for some time. Time is given, in seconds."""

    def __init__(self, after_s: float = STUCK_AFTER_S) -> None:
        self.after_s = after_s
        self._since: dict[Where, tuple[int, float]] = {}  # next offset, and when it was first seen
        self.stuck: dict[Where, float] = {}  # since when

    def look(self, lags: Mapping[Where, Lag], now: float) -> tuple[dict[Where, float], dict[Where, float]]:
        """Partitions that stand still now and did not before, and those that do so no more; since when."""
        since: dict[Where, tuple[int, float]] = {}
        for where, lag in lags.items():
            known = self._since.get(where)
            if lag.events:  # without lag there is nothing to do, however long
                still = known is not None and known[0] == lag.following
                since[where] = known if still and known is not None else (lag.following, now)
        stuck = {where: at for where, (_, at) in since.items() if now - at >= self.after_s}
        begun = {where: at for where, at in stuck.items() if where not in self.stuck}
        over = {where: at for where, at in self.stuck.items() if where not in stuck}
        self._since, self.stuck = since, stuck
        return begun, over
