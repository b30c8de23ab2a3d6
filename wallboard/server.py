"""The wallboard as a service: its page, the stream of events, and what is behind a number."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from clickhouse_connect.driver.exceptions import ClickHouseError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from sinks.connection import first_line
from wallboard.details import (
    CannotAnswer,
    NoExplanation,
    agent_document,
    explain_document,
    queue_document,
)
from wallboard.doors import Doors, guard
from wallboard.feed import Feed, frame, wall_ms
from wallboard.metrics import Metrics
from wallboard.pages import pages
from wallboard.polling import Part, poll
from wallboard.reading import Reader

BEAT_S = 10.0  # something is sent at least so often, so that a lost connection is noticed
STOP_LIMIT_S = 2.0
DETAILS_AT_ONCE = 2


@dataclass(slots=True)
class Wall:
    """Everything that the routes need. `simulated` says that the clock is none of ours."""

    reader: Reader
    simulated: bool = False
    feed: Feed = field(default_factory=Feed)
    metrics: Metrics = field(default_factory=Metrics)
    details: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DETAILS_AT_ONCE))

    def __post_init__(self) -> None:
        self.metrics.viewers.set_function(lambda: self.feed.viewers)

    def parts(self) -> list[Part]:
        """What is read, and how often."""
        reader = self.reader
        day_s, slow_s = (1.0, 5.0) if self.simulated else (10.0, 300.0)  # a simulated hour is seconds long
        return [
            Part("now", 1.0, reader.now),
            Part("day", day_s, reader.day),
            Part("slow", slow_s, reader.slow),
        ]

    def hello(self) -> dict[str, Any]:
        """What a page has to know before anything else."""
        config = self.reader.config
        return {
            "server_ms": wall_ms(),
            "title": config.title,
            "locale": config.locale,
            "zone": self.reader.zone.key,
            "simulated": self.simulated,
            "fcr_days": config.fcr_days,
            "csat_days": config.csat_days,
        }


WALL = web.AppKey("wall", Wall)


async def show_page(request: web.Request) -> web.Response:
    """A file of the page; every address that names none is the page itself, which looks at the address."""
    found = pages()[request.match_info.get("file") or "index.html"]
    if request.headers.get("If-None-Match") == found.tag:
        return web.Response(status=304)
    headers = {"ETag": found.tag, "Cache-Control": "no-cache"}
    kind = found.type
    charset = "utf-8" if kind.startswith("text/") else None
    return web.Response(body=found.body, content_type=kind, charset=charset, headers=headers)


async def show_file(request: web.Request) -> web.Response:
    """A file below /static."""
    if request.match_info["file"] not in pages():
        return web.Response(status=404, text="no such file\n")
    return await show_page(request)


async def stream(request: web.Request) -> web.StreamResponse:
    """Server-sent events for as long as the page is open."""
    wall = request.app[WALL]
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    response.headers["X-Accel-Buffering"] = "no"
    await response.prepare(request)
    wall.feed.join()
    try:
        await response.write(b"retry: 1000\n" + frame("hello", wall.hello()))
        seen = 0
        while True:
            seen, text = await wall.feed.after(seen, BEAT_S)
            await response.write(text or b": still here\n\n")
    except ConnectionResetError:
        pass  # the page was closed
    finally:
        wall.feed.leave()
    return response


def as_json(document: Any, status: int = 200) -> web.Response:
    """An answer as JSON."""
    body = orjson.dumps(document)
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


async def detail(request: web.Request, read: Callable[[], dict[str, Any]]) -> web.Response:
    """What is behind a number; a few at a time, as each of them may be heavy."""
    async with request.app[WALL].details:
        try:
            return as_json(await asyncio.to_thread(read))
        except (CannotAnswer, NoExplanation, ValueError) as error:
            return as_json({"error": str(error)}, 400)
        except (ClickHouseError, OSError) as error:
            return as_json({"error": f"ClickHouse does not answer: {first_line(error)}"}, 503)


async def show_queue(request: web.Request) -> web.Response:
    """Who works for a queue."""
    reader, queue = request.app[WALL].reader, request.query.get("queue", "")
    return await detail(request, lambda: queue_document(reader, queue))


async def show_agent(request: web.Request) -> web.Response:
    """An agent's day."""
    reader, agent = request.app[WALL].reader, request.query.get("agent", "")
    return await detail(request, lambda: agent_document(reader, agent))


async def show_explanation(request: web.Request) -> web.Response:
    """The contacts behind a number."""
    reader, asked = request.app[WALL].reader, request.query
    try:
        begin, end = int(asked.get("from", "0")), int(asked.get("to", "0"))
    except ValueError:
        return as_json({"error": "from and to are UTC milliseconds"}, 400)
    return await detail(
        request, lambda: explain_document(reader, asked.get("kpi", ""), asked.get("queue"), begin, end)
    )


async def show_health(_: web.Request) -> web.Response:
    """200 while the service answers."""
    return web.Response(text="ok\n")


async def show_metrics(request: web.Request) -> web.Response:
    """All metrics, in Prometheus' text format."""
    body = generate_latest(request.app[WALL].metrics.registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


def application(wall: Wall, doors: Doors) -> web.Application:
    """What viewers see."""
    app = web.Application(middlewares=[guard(doors)])
    app[WALL] = wall
    for path in ("/", "/queue", "/agent"):
        app.router.add_get(path, show_page)
    app.router.add_get("/static/{file:.+}", show_file)
    app.router.add_get("/events", stream)
    app.router.add_get("/api/queue", show_queue)
    app.router.add_get("/api/agent", show_agent)
    app.router.add_get("/api/explain", show_explanation)
    app.router.add_get("/health", show_health)
    return app


def observation(wall: Wall) -> web.Application:
    """What is served to whoever watches the service."""
    app = web.Application()
    app[WALL] = wall
    app.router.add_get("/metrics", show_metrics)
    app.router.add_get("/health", show_health)
    return app


async def listen(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve an application. Raises OSError where the address is taken."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=STOP_LIMIT_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except BaseException:
        await runner.cleanup()
        raise
    return runner


@asynccontextmanager
async def running(wall: Wall, doors: Doors, host: str, port: int) -> AsyncIterator[Wall]:
    """A wallboard that listens while the block runs. Raises OSError where it cannot."""
    runner = await listen(application(wall, doors), host, port)
    polls = [asyncio.create_task(poll(part, wall.feed, wall.metrics)) for part in wall.parts()]
    try:
        yield wall
    finally:
        for task in polls:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*polls)
        await runner.cleanup()
