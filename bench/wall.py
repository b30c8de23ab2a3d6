"""`python -m bench.wall`: how long from an event to the pixel, and what a hundred open wallboards cost.

Kafka, ClickHouse, a worker, a sink and a wallboard, all on this machine, and a Chromium that shows the wall.
Beside the load somebody joins a queue now and then; the delay runs from when that event was due to be sent
until the browser has painted the greater number. Viewers are connections that read all they are sent.
"""

import argparse
import asyncio
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from tempfile import mkdtemp

import aiohttp
import orjson
from aiokafka import AIOKafkaProducer

from bench.arrivals import percentile
from bench.chromium import BROWSER, Tab, chromium
from bench.events import Message, make
from bench.group import Member, command, running, until_ready
from bench.load import Load
from bench.meter import Meter
from bench.sink import SINK
from bench.stack import Stack, produce, stack
from bench.table import console, machine
from bench.wall_stages import cpu_s, delays, shares, watching
from bench.worker import WORKER
from deploy.local.child import ChildProcess
from deploy.local.ports import free_port
from schemas.codec import encode
from schemas.events import ContactQueued, ContactStarted
from schemas.topics import CONTACT_EVENTS
from simulator.deliveries import ORDERLY

RATE, SECONDS, WARM_UP_S, VIEWERS, SEED = 2_000, 45, 5, 100, 11
PROBES_PER_S, COST_S = 4, 20
WALLBOARD_PORT_OFFSET = 64  # as cli.endpoint has it
QUEUE = "probe"
# The browser's own account: when each number was painted, which it is by the frame after the next.
WATCH = """
window.painted = [];
const look = () => {
  const tiles = [...document.querySelectorAll('.tile')];
  const tile = tiles.find((one) => one.querySelector('h2').textContent === 'probe');
  const text = tile?.querySelector('.heroes dd')?.textContent.replaceAll(',', '');
  if (text !== undefined && text !== window.last) {
    window.last = text;
    requestAnimationFrame(() => requestAnimationFrame(() => window.painted.push([Number(text), Date.now()])));
  }
};
new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
look();
"""
PROBED = "[...document.querySelectorAll('.tile h2')].some((one) => one.textContent === 'probe')"


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.wall", description=__doc__)
    parser.add_argument("--rate", type=int, default=RATE, help="events per second beside the probes")
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--viewers", type=int, default=VIEWERS, help="pages open; 0: leave that part out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


def joining(number: int, at_ms: int) -> list[Message]:
    """Somebody starts a contact and waits in the queue from now on."""
    shared = {"contact_id": f"probe-{number}", "occurred_at": at_ms, "source": "bench", "leg": 1}
    started = {"event_id": "started", "channel": "voice", "direction": "inbound"}
    events = (
        ContactStarted.model_validate(shared | started),
        ContactQueued.model_validate(shared | {"event_id": "queued", "queue": QUEUE}),
    )
    return [Message(event.contact_id.encode(), encode(event)) for event in events]


async def probe(servers: str, seconds: float) -> list[float]:
    """Somebody joins at random moments; when each was due."""
    rng, due, began = Random(SEED), [], time.time()
    at = began
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        while (at := at + rng.expovariate(PROBES_PER_S)) < began + seconds:
            await asyncio.sleep(max(at - time.time(), 0))
            for message in joining(len(due), int(at * 1000)):
                await producer.send(CONTACT_EVENTS, key=message.key, value=message.value)
            due.append(at)
    return due


async def wallboard(parts: Stack, running_: AsyncExitStack) -> tuple[ChildProcess, str, int]:
    """A wallboard process, ready, its address, and the port of its metrics."""
    made = command(parts, Member("wallboard", ("cli.main", "wallboard"), "", ()))
    port = free_port()
    made.env["RINGBACK_WALLBOARD_PORT"] = str(port)
    base = free_port()
    made.env["RINGBACK_METRICS_PORT"] = str(base)
    child = ChildProcess(made)
    running_.callback(child.stop)
    await until_ready(child)
    return child, f"http://127.0.0.1:{port}", base + WALLBOARD_PORT_OFFSET


async def watch(session: aiohttp.ClientSession, url: str) -> None:
    """A viewer that reads what comes."""
    async with session.get(f"{url}/events") as answer:
        async for _ in answer.content.iter_any():
            pass


async def cost(parts: Stack, wall: ChildProcess, url: str, viewers: int) -> dict[str, float]:
    """Shares of a core that wallboard and ClickHouse take, with nobody and with many watching."""
    figures = {}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(None)) as session:
        for label, count in (("nobody", 0), ("one", 1), ("many", viewers)):
            tasks = [asyncio.create_task(watch(session, url)) for _ in range(count)]
            await asyncio.sleep(3)
            meters = {"wallboard": Meter(wall.pid), "clickhouse": Meter(parts.clickhouse.pid)}
            await asyncio.sleep(COST_S)
            for name, meter in meters.items():
                used = meter.outcome(0)
                figures[f"{name}, {label}"] = round(100 * used.cpu_s / used.wall_s, 2)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(1)
    return figures


async def mean_read_s(watched: int) -> float:
    """How long the query of every second took in the mean, as the wallboard itself says."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{watched}/metrics") as said:
        lines = dict(line.rsplit(" ", 1) for line in (await said.text()).splitlines() if line[0] != "#")
    total, count = (
        float(lines[f'ringback_wallboard_read_seconds_{end}{{part="now"}}']) for end in ("sum", "count")
    )
    return total / count


async def to_pixel(
    parts: Stack, tab: Tab, url: str, watched: int, named: dict[str, int | None], wanted: argparse.Namespace
) -> dict[str, object]:
    """The delays beside the load."""
    data = make(round(wanted.rate * (wanted.seconds + WARM_UP_S)), SEED, ORDERLY)
    await produce(parts.servers, joining(-1, int(time.time() * 1000)))
    await tab.screen(1920, 1080)
    await tab.open(url)
    await tab.until(PROBED, 60)
    await tab.evaluate(WATCH + "undefined")
    load = asyncio.create_task(
        Load(parts.servers, lambda *_: None, lambda _: None).run(data.messages, wanted.rate)
    )
    await asyncio.sleep(WARM_UP_S)
    async with watching(parts.servers, parts.clickhouse_url, url, QUEUE) as stages:
        used, began = cpu_s(named), time.monotonic()
        due = await probe(parts.servers, wanted.seconds)
        cores = shares(used, cpu_s(named), time.monotonic() - began)
        behind = await load
        await asyncio.sleep(5)
    painted = [(count, when / 1000) for count, when in await tab.evaluate("window.painted")]
    found, missing = delays(due, painted)
    # The first of all waits since before facts were watched.
    until = {name: delays(due, seen, before=name != "published")[0] for name, seen in stages.items()}
    read_ms = round(1000 * await mean_read_s(watched))
    return {
        "probes": len(due),
        "missing": missing,
        "sender behind s": round(behind, 2),
        "read ms": read_ms,
        "percent of a core": cores,
        "ms until (p50, p95, p99)": {
            name: [round(1000 * percentile(delays_, share)) for share in (0.5, 0.95, 0.99)]
            for name, delays_ in (until | {"painted": found}).items()
        },
    }


async def measure(parts: Stack, wanted: argparse.Namespace) -> dict[str, object]:
    """All of it."""
    async with AsyncExitStack() as living:
        worker = await living.enter_async_context(running(parts, WORKER))
        sink = await living.enter_async_context(running(parts, SINK))
        wall, url, watched = await wallboard(parts, living)
        named = {"worker": worker.pid, "sink": sink.pid, "wallboard": wall.pid}
        named |= {"clickhouse": parts.clickhouse.pid, "kafka": parts.kafka.pid}
        new_tab = await living.enter_async_context(chromium(Path(mkdtemp(prefix="ringback-bench-"))))
        found = await to_pixel(parts, await new_tab(), url, watched, named, wanted)
        print(found, file=sys.stderr, flush=True)
    return found


async def measure_cost(parts: Stack, wanted: argparse.Namespace) -> dict[str, float]:
    """With what the load left in ClickHouse, and nothing else running."""
    async with AsyncExitStack() as living:
        wall, url, _ = await wallboard(parts, living)
        return await cost(parts, wall, url, wanted.viewers)


def main() -> None:
    """Measure and print."""
    wanted = options()
    if BROWSER is None:
        sys.exit("no Chromium on this machine")
    with stack() as parts:
        pixel = asyncio.run(measure(parts, wanted))
        taken = asyncio.run(measure_cost(parts, wanted)) if wanted.viewers else {}
    console().print({"event to pixel": pixel, "percent of a core": taken, "machine": machine()})
    if wanted.json:
        wanted.json.write_bytes(orjson.dumps({"pixel": pixel, "cost": taken, "machine": machine()}))


if __name__ == "__main__":
    main()
