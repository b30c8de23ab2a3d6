"""`ringback gateway`: webhooks and events of any program, over HTTP."""

import asyncio
import importlib
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import structlog
from prometheus_client.process_collector import ProcessCollector

from adapters.mapping.document import BadMapping
from adapters.registry import sources_with
from adapters.sending.records import Encode
from cli.console import UNREACHABLE, WRONG_USE, fail, settings
from cli.gateway_secrets import source_secrets, tokens
from cli.gateway_settings import GatewaySettings
from cli.port_offsets import GATEWAY_PORT_OFFSET
from cli.secrets import customer_secret
from cli.stopping import stop_event
from cli.wire import ForgettingEncoder, encoder
from deploy.local.ports import is_loopback
from gateway.config import GatewayConfig
from gateway.limits import Limits
from gateway.proxies import networks
from gateway.server import listen, observation, running
from streams.health.garbage_collector import collect_rarely
from streams.health.ready_file import mark
from streams.kafka.forgotten import follow_ledger, stored_ledger
from streams.kafka.topics import wait_for_topics

log = structlog.get_logger()


def gateway() -> None:
    """Run the gateway until SIGTERM: events of any program and webhooks of sources, over HTTP to Kafka.

    It answers 202 when Kafka or the disk of its spool has it. docs/guide/gateway.md shows how to send.

    Example: RINGBACK_GATEWAY_TOKEN_FILE=token ringback gateway
    """
    config = settings()
    encode = ForgettingEncoder(encoder(config))
    # Of what is no HTTP it would log a traceback a request, to whoever sends one; our own faults we log.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL + 1)
    given = gateway_config(config, encode)
    try:
        run(lambda: serve_until_stopped(config, given, encode))
    except OSError as error:
        if error.filename is not None:
            where = "RINGBACK_GATEWAY_SPOOL names another folder, of this gateway alone"
            fail(f"the gateway cannot use {error.filename}: {error.strerror}; {where}", UNREACHABLE)
        at = f"{given.host}:{given.port}"
        fail(f"the gateway cannot listen at {at}: {error.strerror or error}", UNREACHABLE)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run on uvloop, which answers a third faster; where it is not made for the machine, on asyncio."""
    try:
        factory = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


def gateway_config(config: GatewaySettings, encode: Encode) -> GatewayConfig:
    """What the gateway needs of the settings; ends the command where they would leave a door open."""
    found = tokens(config.gateway_token, config.gateway_token_file)
    if not found and not is_loopback(config.gateway_host):
        fail(
            f"RINGBACK_GATEWAY_HOST is {config.gateway_host}, so others can reach /v1/events: set "
            "RINGBACK_GATEWAY_TOKEN or RINGBACK_GATEWAY_TOKEN_FILE (`openssl rand -hex 32` makes a token)",
            WRONG_USE,
        )
    if config.gateway_certificate_key is not None and config.gateway_certificate is None:
        fail("RINGBACK_GATEWAY_CERTIFICATE_KEY needs RINGBACK_GATEWAY_CERTIFICATE", WRONG_USE)
    try:
        sources = sources_with(config.mappings)
    except (BadMapping, OSError) as error:
        fail(f"RINGBACK_MAPPINGS: {error}", WRONG_USE)
    spool = config.gateway_spool or config.data_dir / "gateway-spool"
    try:
        trusted = networks(config.gateway_trusted_proxies.split(","))
    except ValueError as error:
        fail(f"RINGBACK_GATEWAY_TRUSTED_PROXIES: {error}; such as 10.0.0.5,10.1.0.0/16", WRONG_USE)
    return GatewayConfig(
        bootstrap_servers=config.bootstrap_servers,
        customer_secret=customer_secret(config),
        host=config.gateway_host,
        port=config.gateway_port,
        tokens=found,
        secrets=source_secrets(sources),
        sources=sources,
        limits=Limits(
            body_max_bytes=config.gateway_body_max_bytes,
            requests_max=config.gateway_requests_max,
            rate_max=config.gateway_rate_max,
            spool_max_bytes=config.gateway_spool_max_bytes,
            source_requests_max=config.gateway_source_requests_max,
        ),
        encode=encode,
        trusted_proxies=trusted,
        spool=spool if config.gateway_spool_max_bytes else None,
        certificate=config.gateway_certificate,
        certificate_key=config.gateway_certificate_key,
    )


async def serve_until_stopped(
    config: GatewaySettings, given: GatewayConfig, encode: ForgettingEncoder
) -> None:
    """Serve until SIGINT or SIGTERM; what is being answered then is answered."""
    stop = stop_event()
    ready = asyncio.Event()
    topics = asyncio.create_task(until_topics(config, encode, ready))
    following = asyncio.create_task(follow(config.bootstrap_servers, encode, ready))
    stopping = asyncio.create_task(stop.wait())
    if given.spool is None:  # without Kafka there is nothing to do
        await asyncio.wait((topics, stopping), return_when=asyncio.FIRST_COMPLETED)
    try:
        if not stop.is_set():
            await serve(config, given, topics, ready, stop)
    finally:
        for task in (following, topics):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until_topics(config: GatewaySettings, encode: ForgettingEncoder, ready: asyncio.Event) -> None:
    """Wait until Kafka answers, has its topics, and has told who was forgotten."""
    await wait_for_topics(config.bootstrap_servers, config.partitions, config.replication)
    encode.ledger = await stored_ledger(config.bootstrap_servers)
    ready.set()


async def follow(servers: str, encode: ForgettingEncoder, ready: asyncio.Event) -> None:
    """Know whom to forget; the gateway is not stopped for `ringback forget`, as workers and sinks are."""
    await ready.wait()
    async for ledger in follow_ledger(servers):
        encode.ledger = ledger


async def serve(
    config: GatewaySettings,
    given: GatewayConfig,
    topics: asyncio.Task[None],
    ready: asyncio.Event,
    stop: asyncio.Event,
) -> None:
    """Serve until it is stopped; until Kafka has its topics the spool takes what comes."""
    if topics.done():
        await topics
    async with running(given, ready) as served:
        if not ready.is_set():
            served.kafka.hold("Kafka has not its topics yet")
            topics.add_done_callback(lambda done: served.kafka.hold("") if ready.is_set() else stop.set())
        ProcessCollector(registry=served.metrics.registry)
        port = config.metrics_port + GATEWAY_PORT_OFFSET
        watched = await listen(observation(served), config.metrics_host, port, None)
        collect_rarely()
        mark(True)
        log.info("gateway ready", host=given.host, port=given.port, sources=" ".join(given.secrets))
        await stop.wait()
        mark(False)
        log.info("gateway stopping")
        await watched.cleanup()
