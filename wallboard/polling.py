"""Reading again and again, for all viewers at once, and only while there is one."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.connection import first_line
from wallboard.feed import Feed, wall_ms
from wallboard.metrics import Metrics

log = structlog.get_logger()
# ClickHouse is busy with us for at most this share of the time, however slow it is.
GREATEST_SHARE = 0.5
AGAIN_S = 10.0  # what is read once in minutes is not missing for minutes after a failure


@dataclass(frozen=True, slots=True)
class Part:
    """What is read: a kind of document, how often, and by what."""

    event: str
    period_s: float
    read: Callable[[], dict[str, Any]]


def breath_s(took_s: float) -> float:
    """How long to wait at least after a query that took so long."""
    return took_s / GREATEST_SHARE - took_s


def pause_s(period_s: float, took_s: float) -> float:
    """How long to wait after a query that took so long, while somebody watches."""
    return max(period_s - took_s, breath_s(took_s))


async def poll(part: Part, feed: Feed, metrics: Metrics) -> None:
    """Read a part for ever. While ClickHouse is away the last document stays, and its age grows."""
    away_since: int | None = None
    while True:
        await feed.watched()
        began = time.monotonic()
        try:
            document = await asyncio.to_thread(part.read)
        except (ClickHouseError, OSError) as error:
            metrics.failed.labels(part.event).inc()
            if away_since is None:
                away_since = wall_ms()
                log.warning("ClickHouse does not answer", part=part.event, error=first_line(error))
            feed.publish("away", {"since_ms": away_since, "part": part.event, "error": first_line(error)})
            await asyncio.sleep(max(min(part.period_s, AGAIN_S), breath_s(time.monotonic() - began)))
            continue
        took = time.monotonic() - began
        metrics.read_s.labels(part.event).observe(took)
        if away_since is not None:
            away_since = None
            feed.withdraw("away")
            log.info("ClickHouse answers again", part=part.event)
        wait_s = pause_s(part.period_s, took)
        if feed.viewers:
            feed.publish(part.event, document | {"every_ms": round((took + wait_s) * 1000)})
        await asyncio.sleep(breath_s(took))
        await feed.forgotten(part.event, wait_s - breath_s(took))
