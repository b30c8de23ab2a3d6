"""`python -m bench.latency`: how long an event takes to be safe and to be seen in ClickHouse, by rate.

A real worker and a real sink on a real Kafka and ClickHouse, all on this machine. The delay is counted from
when the event was due to be sent: "acknowledged" until the broker appended the contact's state with the event
to the changelog; "visible" until a query sees the contact's row in the version that has the event.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from bench.arrivals import POLL_S, Changelog, Stored, percentile, until_visible
from bench.events import Message, make
from bench.group import require_alive, running
from bench.load import Load
from bench.meter import Meter
from bench.sink import SINK
from bench.stack import Stack, stack
from bench.table import columns, console, machine
from bench.worker import WORKER
from deploy.local.child import ChildProcess
from simulator.deliveries import ORDERLY
from sinks.connection import connect

RATES, SECONDS, WARM_UP_S, SEED = (500, 2_000, 5_000), 10.0, 3.0, 11
WATCHED_PER_S = 100
PATIENCE_S, READ_LIMIT_S = 120.0, 60.0
SHARES = (0.50, 0.95, 0.99)
HEADINGS = (
    "events/s", "events", "missing", "acknowledged ms p50", "p95", "p99", "visible ms p50", "p95", "p99",
    "drained s", "CPU worker", "CPU sink", "resolution ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Delays:
    """A row of the table; times in ms, CPU as a share of one core while events were being sent."""

    rate: int
    events: int
    missing: int
    sender_behind_ms: float
    acknowledged_ms: list[float]
    visible_ms: list[float]
    visible_n: int
    drained_s: float
    worker_cpu: float
    sink_cpu: float
    resolution_ms: float


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=RATES, metavar="N", help="events per second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each rate, after 3 s of warm-up")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


def milliseconds(delays: Sequence[float]) -> list[float]:
    """p50, p95, p99."""
    ordered = sorted(delays)
    return [round(percentile(ordered, share) * 1000, 1) for share in SHARES]


def share_of_core(meter: Meter) -> float:
    """CPU time per time, since the meter began."""
    used = meter.outcome(0)
    return round(used.cpu_s / used.wall_s, 2)


@dataclass(frozen=True, slots=True)
class Watched:
    """Worker and sink, and what watches them."""

    servers: str
    changelog: Changelog
    stored: Stored
    children: tuple[ChildProcess, ChildProcess]
    following: asyncio.Task[None]

    def check(self) -> None:
        """Raise if one of them has ended: what is missing would never come."""
        for child in self.children:
            require_alive(child)
        if self.following.done():
            self.following.result()

    async def at_rate(self, messages: Sequence[Message], rate: int) -> Delays:
        """Send at one rate, until all has come."""
        changelog, stored = self.changelog, self.stored
        changelog.delays, stored.delays, stored.rounds = [], [], []
        changelog.count_from = stored.count_from = time.time() + WARM_UP_S
        stored.share = WATCHED_PER_S / rate
        meters = [Meter(child.pid) for child in self.children]
        behind = await Load(self.servers, changelog.due, stored.sent).run(messages, rate)
        self.check()
        worker_cpu, sink_cpu = (share_of_core(meter) for meter in meters)
        drained = await until_visible(stored, PATIENCE_S, self.check)
        await changelog.read(READ_LIMIT_S)
        return Delays(
            rate,
            len(messages),
            len(changelog.expected) + sum(map(len, stored.expected.values())),
            round(behind * 1000, 1),
            milliseconds(changelog.delays),
            milliseconds(stored.delays),
            len(stored.delays),
            round(drained, 1),
            worker_cpu,
            sink_cpu,
            milliseconds(stored.rounds)[1],
        )


@asynccontextmanager
async def watched(parts: Stack) -> AsyncIterator[Watched]:
    """Worker and sink while the block runs, with what watches them."""
    async with running(parts, WORKER) as worker, running(parts, SINK) as sink:
        with closing(connect(parts.clickhouse_url)) as client:
            changelog, stored = Changelog(parts.servers), Stored(client)
            await changelog.stamp()
            following = asyncio.create_task(stored.follow())
            try:
                yield Watched(parts.servers, changelog, stored, (worker, sink), following)
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)


async def measure(parts: Stack, rates: Sequence[int], seconds: float) -> list[Delays]:
    """One rate after the other, on the same worker and sink; no further where one was too much."""
    inputs = [make(round(rate * (seconds + WARM_UP_S)), SEED + n, ORDERLY) for n, rate in enumerate(rates)]
    rows: list[Delays] = []
    async with watched(parts) as both:
        for rate, data in zip(rates, inputs, strict=True):
            print(f"measuring: {rate:,} events/s", file=sys.stderr, flush=True)
            rows.append(await both.at_rate(data.messages, rate))
            if rows[-1].missing:
                break
    return rows


def show(rows: Sequence[Delays]) -> None:
    """Print the table."""
    table = columns(HEADINGS, ())
    for row in rows:
        table.add_row(
            f"{row.rate:,}",
            f"{row.events:,}",
            f"{row.missing:,}",
            # Of what has not come nobody knows the delay: percentiles of the rest would flatter.
            *("" if row.missing else f"{ms:,.0f}" for ms in (*row.acknowledged_ms, *row.visible_ms)),
            f"{row.drained_s:.1f}",
            f"{row.worker_cpu:.0%}",
            f"{row.sink_cpu:.0%}",
            f"{row.resolution_ms:.0f}",
        )
    console().print(table)
    console().print(f"asked every {POLL_S * 1000:.0f} ms; {machine()}", highlight=False)


def main() -> None:
    """Measure and print."""
    wanted = options()
    with stack() as parts:
        rows = asyncio.run(measure(parts, wanted.rates, wanted.seconds))
    show(rows)
    if wanted.json:
        document = {"machine": machine(), "rows": [asdict(row) for row in rows]}
        wanted.json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
