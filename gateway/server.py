"""The gateway as a service: routes, listening, and a stop that lets what is being answered finish."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import orjson
import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.challenges import BY_GET
from gateway.config import GatewayConfig
from gateway.events_route import post_events
from gateway.kafka import Acknowledged
from gateway.openapi import PATH, document
from gateway.problems import as_problems
from gateway.sources_route import get_source, post_source
from gateway.spool.segments import Segments
from gateway.spool.spool import Spool
from gateway.taking import GATEWAY, Gateway

log = structlog.get_logger()
STOP_LIMIT_S = 15.0
HEADER_MAX_BYTES = 8 * 1024


async def show_health(_: web.Request) -> web.Response:
    """200 while the gateway answers."""
    return web.Response(text="ok\n")


async def show_ready(request: web.Request) -> web.Response:
    """200 while Kafka acknowledges, or the spool has room."""
    gateway = request.app[GATEWAY]
    if not gateway.kafka.trouble:
        return web.Response(text="ready\n")
    if gateway.spool is not None and not gateway.spool.is_full:
        return web.Response(text="ready; Kafka does not answer, events go to the spool\n")
    return web.Response(status=503, text="Kafka does not answer\n")


async def show_metrics(request: web.Request) -> web.Response:
    """All metrics, in Prometheus' text format."""
    body = generate_latest(request.app[GATEWAY].metrics.registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def show_document(described: bytes, _: web.Request) -> web.Response:
    """The OpenAPI document."""
    return web.Response(body=described, content_type="application/json")


def remember(config: GatewayConfig) -> None:
    """Let adapters that need it know, beside the spool, what was said before. Raises OSError."""
    if config.spool is None:
        return
    folder = config.spool.parent / "gateway-journeys"
    for source in config.sources:
        if source.adapter and config.secrets.get(source.name):
            adapter = source.load_adapter()
            if adapter.remember is not None:
                adapter.remember(folder / f"{source.name}.jsonl")


def application(gateway: Gateway) -> web.Application:
    """What is served to senders."""
    app = web.Application(middlewares=[as_problems], client_max_size=gateway.config.limits.body_max_bytes)
    app[GATEWAY] = gateway
    app.router.add_post("/v1/events", post_events)
    sources = gateway.config.sources
    for source in sources:
        if source.adapter:
            app.router.add_post(f"/v1/sources/{source.name}", partial(post_source, source))
        if source.adapter and source.challenge in BY_GET:
            app.router.add_get(f"/v1/sources/{source.name}", partial(get_source, source))
    described = orjson.dumps(document(sources))
    app.router.add_get(PATH, partial(show_document, described))
    app.router.add_get("/health", show_health)
    app.router.add_get("/ready", show_ready)
    return app


def observation(gateway: Gateway) -> web.Application:
    """What is served to whoever watches the gateway."""
    app = web.Application()
    app[GATEWAY] = gateway
    app.router.add_get("/metrics", show_metrics)
    app.router.add_get("/health", show_health)
    app.router.add_get("/ready", show_ready)
    return app


def tls(config: GatewayConfig) -> ssl.SSLContext | None:
    """TLS by the files given; None without. Raises OSError, which names what is wrong with them."""
    if config.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(config.certificate, config.certificate_key)
    return context


async def listen(app: web.Application, host: str, port: int, context: ssl.SSLContext | None) -> web.AppRunner:
    """Serve an application. Raises OSError where the address is taken."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        auto_decompress=False,  # signatures are of what was sent, and nothing may grow
        max_line_size=HEADER_MAX_BYTES,
        max_field_size=HEADER_MAX_BYTES,
        shutdown_timeout=STOP_LIMIT_S,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=context).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner


@asynccontextmanager
async def spooling(
    config: GatewayConfig, kafka: Acknowledged, ready: asyncio.Event | None
) -> AsyncIterator[Spool | None]:
    """The spool, where there is one, given to Kafka while the block runs. Raises OSError."""
    if config.spool is None:
        yield None
        return
    segments = await asyncio.to_thread(Segments, config.spool)
    if segments.size or segments.cut_bytes:
        log.info("spool found", bytes=segments.size, cut_bytes=segments.cut_bytes)
    spool = Spool(segments, config.limits.spool_max_bytes)
    forwarding = asyncio.create_task(spool.forward(kafka.write, ready))
    try:
        yield spool
    finally:
        forwarding.cancel()
        with suppress(asyncio.CancelledError):
            await forwarding
        await asyncio.to_thread(spool.close)


@asynccontextmanager
async def running(config: GatewayConfig, ready: asyncio.Event | None = None) -> AsyncIterator[Gateway]:
    """A gateway that listens while the block runs. Raises OSError where it cannot.

    Until `ready` is set what lies in the spool stays there.
    """
    context = await asyncio.to_thread(tls, config)
    await asyncio.to_thread(remember, config)
    async with (
        Acknowledged(config.bootstrap_servers, config.limits.acknowledged_limit_s) as kafka,
        spooling(config, kafka, ready) as spool,
    ):
        gateway = Gateway(config, kafka, spool)
        if spool is not None:
            gateway.metrics.spool_bytes.set_function(lambda: spool.size)
        beating = asyncio.create_task(gateway.heartbeats.tell(gateway.write))
        runner = await listen(application(gateway), config.host, config.port, context)
        try:
            yield gateway
        finally:
            beating.cancel()
            await runner.cleanup()
