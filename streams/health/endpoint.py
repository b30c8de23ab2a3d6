"""What a worker or sink answers over HTTP: /metrics, /health and /ready."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.health.health import Health

log = structlog.get_logger()
LOOP_LIMIT_S = 10.0
# "none" is an address that a person typed.
OWN_SITES = ("", "none", "same-origin")
HEALTH: web.AppKey[Health] = web.AppKey("health", Health)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a process is observed: its consumer group on these brokers, and the address to serve at."""

    bootstrap_servers: str
    group: str
    host: str
    port: int


async def answers(loop: asyncio.AbstractEventLoop | None, limit_s: float = LOOP_LIMIT_S) -> bool:
    """Does another thread's loop answer? One that is not known yet is about to start."""
    if loop is None:
        return True
    if loop.is_closed():
        return False
    asked = asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop)
    try:
        await asyncio.wait_for(asyncio.wrap_future(asked), limit_s)
    except TimeoutError:
        return False
    return True


def is_loopback(name: str) -> bool:
    """Is it a name or an address of this machine for itself?"""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def host_of(request: web.Request) -> str:
    """The name by which we were called; nothing where it cannot be read."""
    try:
        return urlsplit("//" + request.headers.get("Host", "")).hostname or ""
    except ValueError:
        return ""


def from_a_page(request: web.Request, listening_on: str) -> bool:
    """Did a web page send it? By what browsers say, and by a foreign name that was pointed at loopback.

    Beyond loopback others call us by names that we cannot know, such as those of containers.
    """
    if request.headers.get("Sec-Fetch-Site", "").lower() not in OWN_SITES:
        return True
    return is_loopback(listening_on) and not is_loopback(host_of(request))


def no_pages(listening_on: str) -> Callable[..., Awaitable[web.StreamResponse]]:
    """A middleware that refuses web pages: queues and lags are nobody's who only has a browser open here."""

    @web.middleware
    async def refuse(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if from_a_page(request, listening_on):
            return web.Response(status=403, text="not for web pages; type the address\n")
        return await handler(request)

    return refuse


async def show_metrics(request: web.Request) -> web.Response:
    """All metrics, in Prometheus' text format."""
    body = generate_latest(request.app[HEALTH].metrics.registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def show_health(request: web.Request) -> web.Response:
    """200 while the process' loop answers."""
    if await answers(request.app[HEALTH].loop):
        return web.Response(text="ok\n")
    return web.Response(status=503, text=f"its loop has not answered for {LOOP_LIMIT_S:g} s\n")


async def show_ready(request: web.Request) -> web.Response:
    """200 while the process takes events, otherwise why not."""
    reason = request.app[HEALTH].not_ready()
    return web.Response(text="ready\n") if reason is None else web.Response(status=503, text=f"{reason}\n")


async def serve(health: Health, endpoint: Endpoint) -> web.AppRunner:
    """Listen; a port that is taken is told of once, and does no harm."""
    app = web.Application(middlewares=[no_pages(endpoint.host)])
    app[HEALTH] = health
    app.add_routes(
        [web.get("/metrics", show_metrics), web.get("/health", show_health), web.get("/ready", show_ready)]
    )
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, endpoint.host, endpoint.port).start()
    except (OSError, OverflowError) as error:
        log.warning("no metrics: cannot listen", host=endpoint.host, port=endpoint.port, error=str(error))
    return runner
