"""What the routes share: the parts of a running gateway, and answering one request of a source."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from aiohttp import web

from adapters.sending.records import OutgoingRecord, dead_letter_of, event_record
from gateway.config import GatewayConfig
from gateway.heartbeats import Heartbeats
from gateway.kafka import Acknowledged, Hopeless, NotAcknowledged
from gateway.metrics import GatewayMetrics
from gateway.problems import Problem, busy, of_http
from gateway.requests import Turns
from gateway.spool.spool import Spool, SpoolFull
from schemas.dead_letter import DeadLetter
from schemas.events import Event

log = structlog.get_logger()


@dataclass(frozen=True)
class Gateway:
    """A running gateway: what it was told, where it writes and what it counts."""

    config: GatewayConfig
    kafka: Acknowledged
    spool: Spool | None = None
    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    metrics: GatewayMetrics = field(default_factory=GatewayMetrics)
    turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "turns", Turns(self.config.limits))

    async def write(self, source: str, events: Iterable[Event], refused: Iterable[DeadLetter] = ()) -> None:
        """Return when Kafka or the spool has events and dead letters. Raises Problem."""
        told, letters = list(events), list(refused)
        now_ms = time.time_ns() // 1_000_000
        records: list[OutgoingRecord] = [event_record(event, self.config.encode) for event in told]
        records += [dead_letter_of(letter, now_ms) for letter in letters]
        try:
            await self._keep(records)
        except NotAcknowledged as error:
            raise busy("kafka", f"Kafka has not acknowledged ({error}); send it again") from None
        except OSError as error:
            if not isinstance(error, SpoolFull):
                log.error("the spool cannot be written", error=str(error))
            raise busy("spool_full", "Kafka does not answer and the spool is full; send it again") from None
        except Hopeless as error:
            raise Problem(422, "kafka_refuses", f"Kafka will not take it: {error}") from None
        for event in told:
            self.metrics.events.labels(source, event.type).inc()
        for letter in letters:
            self.metrics.dead_letters.labels(source, letter.reason).inc()

    async def _keep(self, records: Sequence[OutgoingRecord]) -> None:
        """Kafka, or the disk where Kafka does not acknowledge soon. What reaches both counts once.

        Raises NotAcknowledged, Hopeless, OSError.
        """
        if self.spool is None:
            await self.kafka.write(records)
            return
        # While the spool holds something, its way to Kafka finds out whether that answers again; else we do.
        if not self.kafka.trouble or not (self.kafka.held or self.spool.size):
            try:
                async with asyncio.timeout(self.config.limits.spool_after_s):
                    await self.kafka.write(records)
                return
            except NotAcknowledged:
                pass
            except TimeoutError:
                self.kafka.doubt("nothing was acknowledged in time")
        if records:
            await self.spool.append(records)
            self.metrics.spooled.inc(len(records))


GATEWAY: web.AppKey[Gateway] = web.AppKey("gateway", Gateway)
Answer = Callable[[web.Request, Gateway], Awaitable[web.Response]]


def taken(**counts: Any) -> web.Response:
    """202: Kafka or the spool has it all."""
    return web.Response(body=orjson.dumps(counts), status=202, content_type="application/json")


async def answered(request: web.Request, source: str, answer: Answer) -> web.Response:
    """Answer a request of a source in its turn, and count it."""
    gateway = request.app[GATEWAY]
    began, code = time.perf_counter(), ""
    try:
        with gateway.turns.turn(source):
            gateway.metrics.open.set(gateway.turns.open)
            response = await answer(request, gateway)
    except Problem as problem:
        response, code = problem.response(), problem.code
    except web.HTTPException as error:
        response, code = of_http(error), f"http_{error.status}"
    gateway.metrics.open.set(gateway.turns.open)
    gateway.metrics.requests.labels(source, str(response.status), code).inc()
    gateway.metrics.seconds.labels(source).observe(time.perf_counter() - began)
    return response
