"""The oracle: all KPI windows recomputed by SQL from the raw events; measured is the embedded ClickHouse."""

import asyncio
import time
from dataclasses import replace

from bench.counted import verdict
from bench.events import Input
from bench.meter import SAMPLE_S, Meter, Outcome
from bench.sink import windows
from bench.stack import Stack
from kpis.rules import DEFAULT_RULES
from reports.oracle import recomputed
from sinks.connection import connect

MERGES = "SELECT count() FROM system.merges"


def until_settled(url: str) -> None:
    """Wait until ClickHouse has merged what the sink wrote: that work is not the oracle's."""
    client = connect(url)
    while client.query(MERGES).result_rows[0][0]:
        time.sleep(SAMPLE_S)


async def sampled(meter: Meter) -> None:
    """Look at the memory until cancelled."""
    while True:
        meter.sample()
        await asyncio.sleep(SAMPLE_S)


def recompute(stack: Stack, meter: Meter, data: Input) -> Outcome:
    """Fold into tables of a moment, and compare these."""
    with recomputed(connect(stack.clickhouse_url), DEFAULT_RULES, None) as tables:
        outcome = meter.outcome(len(data.messages))
        return replace(outcome, counted=verdict(windows(stack.clickhouse_url, tables.windows), data.truth))


async def measure(stack: Stack, data: Input) -> Outcome:
    """Recompute everything that the sink has stored."""
    await asyncio.to_thread(until_settled, stack.clickhouse_url)
    assert stack.clickhouse.pid is not None
    meter = Meter(stack.clickhouse.pid)
    sampling = asyncio.create_task(sampled(meter))
    try:
        return await asyncio.to_thread(recompute, stack, meter, data)
    finally:
        sampling.cancel()
