"""Events that were kept somewhere, sent into the pipeline again.

Nothing is counted twice and nobody is paged: the same event is the same bytes under the same id, and what
follows from a set of events does not depend on when it came. So it may run beside the live stream, and may be
interrupted and begun again wherever it stands.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from adapters.sending.producer import Offsets
from adapters.sending.records import Encode, OutgoingRecord
from maintenance.history import History, Piece
from maintenance.positions import PositionFile, Progress
from schemas.codec import decode
from schemas.dead_letter import DeadLetter

KEEP_EVERY_S = 2.0
LAG_EVERY_S = 1.0


class Sender(Protocol):
    """What a replay needs of adapters.sending.producer.EventSender."""

    async def send_record(self, record: OutgoingRecord) -> None:
        """Hand a record over; it may wait until Kafka has taken others."""

    async def send_dead_letter(self, refused: DeadLetter) -> None:
        """Hand the dead letter of a refused line over."""

    async def flush(self) -> Offsets:
        """Wait until all is confirmed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it may be: events a second, and how far the stream may be behind; None for no bound."""

    rate: float | None = None
    max_lag: int | None = None
    lag: Callable[[], Awaitable[int]] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What is shown: how far, of how much, what was sent, how far the stream is behind (None: not asked)."""

    done: int
    total: int | None
    sent: int
    lag: int | None


class Throttle:
    """Keeps to a pace."""

    def __init__(self, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace, self._clock = pace, clock
        self._since, self._sent = clock(), 0
        self._asked = clock() - LAG_EVERY_S
        self.lag: int | None = None

    def slices(self, records: Sequence[OutgoingRecord]) -> Iterator[Sequence[OutgoingRecord]]:
        """Records in parts of a tenth of a second, so that a slow pace is an even one."""
        size = len(records) if self._pace.rate is None else max(int(self._pace.rate / 10), 1)
        for begin in range(0, len(records), size or 1):
            yield records[begin : begin + size]

    async def passed(self, events: int) -> None:
        """So many were sent: wait until more may be."""
        self._sent += events
        if self._pace.rate is not None:
            await asyncio.sleep(max(self._since + self._sent / self._pace.rate - self._clock(), 0))
        while await self._too_far_behind():  # noqa: ASYNC110 -- Kafka tells nobody of a lag
            await asyncio.sleep(LAG_EVERY_S)

    async def _too_far_behind(self) -> bool:
        if self._pace.lag is None or self._clock() - self._asked < LAG_EVERY_S:
            return False
        self._asked = self._clock()
        self.lag = await self._pace.lag()
        return self._pace.max_lag is not None and self.lag > self._pace.max_lag


def on_the_wire(encode: Encode | None) -> Callable[[OutgoingRecord], OutgoingRecord]:
    """Turns canonical bytes into those of the wire format; None where they are the same."""
    if encode is None:
        return lambda record: record
    return lambda record: OutgoingRecord(record.topic, record.key, encode(decode(record.value)))


async def replay(
    history: History,
    sender: Sender,
    kept: PositionFile,
    pace: Pace | None = None,
    on_step: Callable[[Step], None] = lambda _: None,
    encode: Encode | None = None,
) -> Progress:
    """Send everything that was not sent before an interruption. Raises NotSent, and as the history."""
    before = kept.read()
    total = await asyncio.to_thread(history.total)
    reading = history.pieces(before.position if before else None)
    throttle, wired = Throttle(pace or Pace()), on_the_wire(encode)
    now = before or Progress({}, 0, 0, 0)
    kept_at = time.monotonic()
    while (piece := await asyncio.to_thread(next_piece, reading)) is not None:
        for slice_ in throttle.slices(piece.records):
            for record in slice_:
                await sender.send_record(wired(record))
            on_step(Step(piece.done, total, now.sent, throttle.lag))
            await throttle.passed(len(slice_))
        for letter in piece.refused:
            await sender.send_dead_letter(letter)
        now = behind(now, piece)
        on_step(Step(piece.done, total, now.sent, throttle.lag))
        if time.monotonic() - kept_at >= KEEP_EVERY_S:
            await sender.flush()  # what is not confirmed was not sent
            kept.write(now)
            kept_at = time.monotonic()
    await sender.flush()
    kept.remove()
    return now


def behind(before: Progress, piece: Piece) -> Progress:
    """The counts and the position behind a piece."""
    return Progress(
        piece.position,
        before.sent + len(piece.records),
        before.refused + len(piece.refused),
        before.unreadable + piece.unreadable,
    )


def next_piece(reading: Iterator[Piece]) -> Piece | None:
    """The next one; None at the end."""
    return next(reading, None)
