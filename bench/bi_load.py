"""`python -m bench.bi_load`: the pipeline's delay with nobody asking, and beside twenty who ask BI queries.

A worker and a sink at a constant rate, as in bench.latency, with so many contacts stored besides. Then the
same again while twenty clients, as user `bi`, ask one query after the other: nineteen those of a dashboard,
one everything of a whole year.
"""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import cycle

import aiohttp

from bench.arrivals import percentile
from bench.bi import QUERIES
from bench.bi_data import fill
from bench.events import make
from bench.latency import SEED, WARM_UP_S, Delays, watched
from bench.stack import Stack, stack
from bench.table import columns, console, machine
from deploy.local.clickhouse.passwords import BI_FILE, read_password
from kpis.rules import DEFAULT_RULES
from simulator.deliveries import ORDERLY
from sinks.connection import connect
from sinks.views.statements import apply_views

CLIENTS = 20
HEAVY = "SELECT * FROM kpi_day_wide WHERE local_date >= '2025-01-01' AND local_date < '2026-01-01'"
LIGHT = [QUERIES[name] for name in ("quarter-hours, sums", "hours, sums", "days of a month, sums")]
HEADINGS = (
    "BI clients",
    "missing",
    "visible ms p50",
    "p95",
    "p99",
    "BI queries",
    "light p50 ms",
    "p99",
    "heavy ms",
)


class Clients:
    """BI tools that ask one query after the other."""

    def __init__(self, parts: Stack) -> None:
        self._url = parts.clickhouse.url
        password = read_password(parts.clickhouse.data_dir / BI_FILE)
        self._headers = {"X-ClickHouse-User": "bi", "X-ClickHouse-Key": password}
        self.light: list[float] = []
        self.heavy: list[float] = []
        self.refused: list[str] = []

    async def ask(self, session: aiohttp.ClientSession, queries: list[str], took: list[float]) -> None:
        """One after the other, for ever."""
        for query in cycle(queries):
            began = time.monotonic()
            async with session.post(self._url, params={"database": "ringback"}, data=query) as answer:
                body = await answer.read()
                if answer.status == 200:
                    took.append(1000 * (time.monotonic() - began))
                else:
                    self.refused.append(body.decode(errors="replace")[:200])
                    await asyncio.sleep(1)

    @asynccontextmanager
    async def asking(self, count: int) -> AsyncIterator[None]:
        """So many of them while the block runs."""
        connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(None)
        async with aiohttp.ClientSession(
            connector=connector, headers=self._headers, timeout=timeout
        ) as session:
            tasks = [
                asyncio.create_task(
                    self.ask(session, LIGHT, self.light) if number else self.ask(session, [HEAVY], self.heavy)
                )
                for number in range(count)
            ]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                for task in tasks:
                    with suppress(asyncio.CancelledError):
                        await task


def row(count: int, delays: Delays, clients: Clients) -> tuple[str, ...]:
    """A line of the table."""
    light, heavy = sorted(clients.light), sorted(clients.heavy)
    asked = (f"{len(light) + len(heavy):,}", *(f"{percentile(light, share):,.0f}" for share in (0.5, 0.99)))
    visible = (f"{ms:,.0f}" for ms in delays.visible_ms)
    return (str(count), str(delays.missing), *visible, *asked, f"{percentile(heavy, 0.5):,.0f}")


async def measure(parts: Stack, wanted: argparse.Namespace) -> tuple[list[tuple[str, ...]], list[str]]:
    """Without BI, then beside it; and what BI was refused."""
    rows, refused = [], []
    async with watched(parts) as both:
        client = connect(parts.clickhouse_url)
        await asyncio.to_thread(fill, client, wanted.contacts)
        await asyncio.to_thread(apply_views, client, DEFAULT_RULES, "Europe/Rome")
        for number, count in enumerate((0, wanted.clients)):
            data = make(round(wanted.rate * (wanted.seconds + WARM_UP_S)), SEED + number, ORDERLY)
            clients = Clients(parts)
            async with clients.asking(count):
                rows.append(row(count, await both.at_rate(data.messages, wanted.rate), clients))
            refused += clients.refused
    return rows, refused


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.bi_load", description=__doc__)
    parser.add_argument("--rate", type=int, default=2_000, help="events per second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--contacts", type=int, default=300_000, help="stored besides")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    wanted = parser.parse_args()
    with stack() as parts:
        rows, refused = asyncio.run(measure(parts, wanted))
    table = columns(HEADINGS, ())
    for line in rows:
        table.add_row(*line)
    console().print(table)
    console().print(f"{len(refused)} refused {set(refused) or ''}; {machine()}", highlight=False)


if __name__ == "__main__":
    main()
