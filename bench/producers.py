"""`python -m bench.producers`: EventSender on confluent-kafka, and aiokafka, on which it was before.

What it costs to send records, to encode events and send them, and to import a file; and, with `--faults`,
what is lost or doubled when the broker is killed while EventSender sends, or is away when it begins. All that
the topic then holds is compared: each record once, and in the partition where aiokafka's own partitioner
puts its key, since the events of a contact must not be split by a change of the library.
"""

import argparse
import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from bench.events import Message, make, save
from bench.meter import Outcome, run, told
from bench.send import EVENTS, FORMER, IMPORT, JSON_LINES, OURS, RECORDS
from bench.stack import PARTITIONS, Stack, stack
from bench.table import columns, console, cpu_us, machine
from schemas.codec import decode
from schemas.topics import CONTACT_EVENTS
from simulator.deliveries import ORDERLY

COUNT, SEED, TIMES = 200_000, 7, 3
AWAY_S = 20.0
TPS = [TopicPartition(CONTACT_EVENTS, number) for number in range(PARTITIONS)]
ROWS = {
    "send, aiokafka": (FORMER, RECORDS),
    "send, confluent-kafka": (OURS, RECORDS),
    "send, aiokafka, zstd": (FORMER, RECORDS, "zstd"),
    "send, confluent-kafka, zstd": (OURS, RECORDS, "zstd"),
    "encode and send, aiokafka": (FORMER, EVENTS),
    "encode and send, confluent-kafka": (OURS, EVENTS),
    "import a file, aiokafka": (FORMER, IMPORT),
    "import a file, confluent-kafka": (OURS, IMPORT),
}
Offsets = dict[TopicPartition, int]


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.producers", description=__doc__)
    parser.add_argument("--events", type=int, default=COUNT, help="events (about)")
    parser.add_argument("--times", type=int, default=TIMES, help="how often each row is measured")
    parser.add_argument("--faults", action="store_true", help="kill the broker instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


def consumer(servers: str) -> AIOKafkaConsumer:
    """One that belongs to no group."""
    return AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)


async def ends(servers: str) -> Offsets:
    """Where the topic ends now."""
    async with consumer(servers) as client:
        found: Offsets = await client.end_offsets(TPS)
        return found


async def written(servers: str, begin: Offsets) -> Counter[tuple[int, bytes, bytes]]:
    """Records since then: partition, key and value."""
    found: Counter[tuple[int, bytes, bytes]] = Counter()
    async with consumer(servers) as client:
        client.assign(TPS)
        for tp, offset in begin.items():
            client.seek(tp, offset)
        until = await client.end_offsets(TPS)
        while any([await client.position(tp) < until[tp] for tp in TPS]):
            for tp, records in (await client.getmany(timeout_ms=500)).items():
                found.update((tp.partition, record.key, record.value) for record in records)
    return found


def verdict(messages: list[Message], found: Counter[tuple[int, bytes, bytes]]) -> str:
    """`1` when each record is there once, where it belongs; else what is wrong."""
    place, numbers = DefaultPartitioner(), list(range(PARTITIONS))
    partitions = {key: place(key, numbers, numbers) for key in {one.key for one in messages}}
    expected = {(partitions[one.key], one.key, one.value) for one in messages}
    wrong = {
        "lost": len(expected - found.keys()),
        "doubled": found.total() - len(found),
        "elsewhere": len(found.keys() - expected),
    }
    if not any(wrong.values()):
        return f"1 ({len(expected):,} records, {len(partitions):,} keys)"
    return ", ".join(f"{count:,} {what}" for what, count in wrong.items())


def measured(parts: Stack, messages: list[Message], row: tuple[str, ...]) -> Outcome:
    """One sender, and what the topic holds of it."""
    begin = asyncio.run(ends(parts.servers))
    outcome = run("send", parts.folder, parts.servers, *row)
    return replace(outcome, counted=verdict(messages, asyncio.run(written(parts.servers, begin))))


def disturbed(parts: Stack, messages: list[Message], row: tuple[str, ...], killed: bool) -> Outcome:
    """The same while the broker is killed and started again, or is away when the sender begins."""
    begin = asyncio.run(ends(parts.servers))
    if not killed:
        parts.kafka.stop()
    with ThreadPoolExecutor(1) as pool:  # the broker has to stay a child of this thread
        sending = pool.submit(run, "send", parts.folder, parts.servers, *row)
        if killed:
            enough = sum(begin.values()) + len(messages) // 10
            while sum(asyncio.run(ends(parts.servers)).values()) < enough:
                time.sleep(0.02)
            assert parts.kafka.pid is not None
            os.kill(parts.kafka.pid, signal.SIGKILL)
            time.sleep(1)
            assert not sending.done()
            parts.kafka.stop()
        else:
            time.sleep(AWAY_S)
        parts.kafka.start()
        outcome = sending.result()
    return replace(outcome, counted=verdict(messages, asyncio.run(written(parts.servers, begin))))


Figure = tuple[str, Callable[[Outcome], float], int]  # heading, what it is, decimal places
RATE: Figure = ("events/s", lambda one: one.events / one.wall_s, 0)
CPU: Figure = ("CPU µs/event", cpu_us, 1)
RATE_OF_CPU: Figure = ("events per CPU-second", lambda one: one.events / one.cpu_s, 0)
PEAK: Figure = ("peak MiB", lambda one: one.peak_mib, 0)
FIGURES = (RATE, CPU, PEAK)


def spread(outcomes: list[Outcome], figure: Callable[[Outcome], float], digits: int) -> str:
    """Median, and in brackets the least and the most."""
    values = sorted(map(figure, outcomes))
    middle, low, high = (f"{value:,.{digits}f}" for value in (median(values), values[0], values[-1]))
    return f"{middle} ({low} to {high})" if len(values) > 1 else middle


def show(
    rows: dict[str, list[Outcome]], first: str = "measured", figures: Sequence[Figure] = FIGURES
) -> None:
    """Print the table: a row for each name, whose heading is `first`, and these figures of it."""
    table = columns(
        (first, "events", *(name for name, _, _ in figures), "counted/true"), (first, "counted/true")
    )
    for name, outcomes in rows.items():
        table.add_row(
            name,
            f"{outcomes[0].events:,}",
            *(spread(outcomes, figure, digits) for _, figure, digits in figures),
            "; ".join(sorted({one.counted for one in outcomes})),
        )
    console().print(table)
    console().print(machine(), highlight=False)


def main() -> None:
    """Measure and print."""
    wanted = options()
    rows: dict[str, list[Outcome]] = {}
    data = make(wanted.events, SEED, ORDERLY)
    with stack() as parts:
        save(data, parts.folder)
        lines = (orjson.dumps(decode(one.value).__dict__) for one in data.messages)
        (parts.folder / JSON_LINES).write_bytes(b"\n".join(lines))
        for _ in range(wanted.times):
            if wanted.faults:
                for what, killed in {"broker killed": True, f"broker away for {AWAY_S:g} s": False}.items():
                    done = told(what, lambda k=killed: disturbed(parts, data.messages, (OURS, RECORDS), k))  # type: ignore[misc]
                    rows.setdefault(what, []).append(done)
            else:
                for name, row in ROWS.items():
                    done = told(name, lambda row=row: measured(parts, data.messages, row))  # type: ignore[misc]
                    rows.setdefault(name, []).append(done)
    show(rows)
    if wanted.json:
        document = {name: [asdict(one) for one in outcomes] for name, outcomes in rows.items()}
        wanted.json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
