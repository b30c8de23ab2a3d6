"""`python -m bench.raw_load`: raw events from Kafka into ClickHouse, without decoding and by the sink's way.

Both read with the same client and write the same rows to `events` and `arrivals`: the digest of all rows says
so. CPU is that of the loading process and of ClickHouse together, for one does what the other need not;
Kafka's is left out.
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from bench.events import make
from bench.meter import Meter, Outcome, cpu_s, told
from bench.oracle import until_settled
from bench.rebuild import watched
from bench.stack import Stack, produce, stack
from bench.table import columns, console, cpu_us, machine
from maintenance import raw_load
from maintenance.raw_container import RawBatch, RawRecord, unwrapped
from maintenance.raw_load import load_topic
from sinks.connection import connect
from sinks.writer import ClickHouseSink
from streams.kafka.decoding import Wire, decode_single_object

COUNT, SEED = 500_000, 7
DIGEST = "SELECT count(), hex(sum(cityHash64(toString(tuple(*))))) FROM {} FINAL"


def none_canonical(sink: ClickHouseSink, batch: RawBatch, writer: int) -> list[RawRecord]:
    """Leave all to the sink's way."""
    return batch.others + [record for blocks in batch.blocks.values() for record in unwrapped(blocks)]


def loaded(parts: Stack, way: Callable[..., list[RawRecord]]) -> tuple[Outcome, str]:
    """Load the topic into empty tables; what it took, and a digest of the rows."""
    client, sink = connect(parts.clickhouse_url), ClickHouseSink(parts.clickhouse_url)
    sink.prepare()
    for table in ("events", "arrivals"):
        client.command(f"TRUNCATE TABLE {table}")
    assert parts.clickhouse.pid is not None
    done: list[int] = []
    raw_load.write_canonical = way
    meter, own, begun = Meter(parts.clickhouse.pid), cpu_s(), time.monotonic()
    with watched(meter):
        load_topic(parts.servers, sink, Wire(decode_single_object), done.append)
        wall, mine = time.monotonic() - begun, cpu_s() - own
        outcome = meter.outcome(done[-1])
    outcome = replace(outcome, wall_s=wall, cpu_s=outcome.cpu_s + mine, counted=f"{mine:.1f}")
    until_settled(parts.clickhouse_url)
    digests = [client.query(DIGEST.format(table)).result_rows[0] for table in ("events", "arrivals")]
    return outcome, "; ".join(f"{rows:,} rows {digest}" for rows, digest in digests)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.raw_load", description=__doc__)
    parser.add_argument("--events", type=int, default=COUNT, help="events (about)")
    wanted = parser.parse_args()
    names = ("way", "events", "events/s", "CPU µs/event", "own CPU s", "ClickHouse peak MiB", "rows")
    table = columns(names, ("way", "rows"))
    data = make(wanted.events, SEED)
    ways = {"as they are": raw_load.write_canonical, "the sink's": none_canonical}
    with stack() as parts:
        asyncio.run(produce(parts.servers, data.messages))
        for name, way in ways.items():
            digest = ""

            def measure(way: Callable[..., list[RawRecord]] = way) -> Outcome:
                nonlocal digest
                outcome, digest = loaded(parts, way)
                return outcome

            one = told(name, measure)
            rate = f"{one.events / one.wall_s:,.0f}"
            figures = (f"{cpu_us(one):.1f}", one.counted, f"{one.peak_mib:,.0f}")
            table.add_row(name, f"{one.events:,}", rate, *figures, digest)
    console().print(table)
    console().print(machine(), highlight=False)


if __name__ == "__main__":
    main()
