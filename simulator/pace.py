"""Letting deliveries arrive at the pace of a clock instead of at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from simulator.deliveries import Delivery


async def paced(
    deliveries: Iterable[Delivery],
    rate: float | None = None,
    speed: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Delivery]:
    """Deliveries at `rate` events per second, or `speed` times as fast as they happened; else at once.

    Goes by the time since the first one, so a slow consumer is caught up with and does not shift the rest.
    """
    if rate is not None and speed is not None:
        raise ValueError("rate and speed: give one of them")
    if (rate is not None and rate <= 0) or (speed is not None and speed <= 0):
        raise ValueError("rate and speed are greater than 0")
    began, first_ms = clock(), None
    for number, delivery in enumerate(deliveries):
        first_ms = delivery.at_ms if first_ms is None else first_ms
        due = 0.0
        if rate is not None:
            due = number / rate
        elif speed is not None:
            due = (delivery.at_ms - first_ms) / 1000 / speed
        ahead = began + due - clock()
        if ahead > 0:
            await sleep(ahead)
        yield delivery
