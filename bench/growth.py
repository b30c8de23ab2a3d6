"""`python -m bench.growth`: what an event costs a worker by contacts held, by queues and by partitions.

Each row is a real worker on a Kafka of its own: it recovers what `bench.fill` left, and is then measured from
"ready" until it has committed all events and what it passed on to itself. One of the three numbers changes,
the others stay at their first value but for partitions, of which there are four.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from bench import worker
from bench.events import make
from bench.fill import Filling
from bench.meter import Outcome
from bench.stack import PARTITIONS, produce, stack
from bench.table import columns, console, cpu_us, machine
from simulator.default import DEFAULT_SHAPE
from simulator.shape import Shape
from streams.config import StreamConfig
from streams.health.garbage_collector import collect_rarely

CONTACTS, QUEUES, PARTITION_COUNTS = (0, 100_000, 300_000), (8, 50, 500), (1, 4, 8, 16)
EVENTS, SEED, FILL_SEED = 40_000, 41, 23  # the events are of another year than what was there before
HEADINGS = (
    "contacts held", "queues", "partitions", "events", "events/s", "CPU µs/event", "peak MiB", "counted/true",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """What a row is of."""

    contacts: int
    queues: int
    partitions: int


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--contacts", type=int, nargs="+", default=CONTACTS, metavar="N")
    parser.add_argument("--queues", type=int, nargs="+", default=QUEUES, metavar="N", help="8 or more")
    parser.add_argument("--partitions", type=int, nargs="+", default=PARTITION_COUNTS, metavar="N")
    parser.add_argument("--events", type=int, default=EVENTS, help="events of each row (about)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


def cases(contacts: Sequence[int], queues: Sequence[int], partitions: Sequence[int]) -> Iterator[Case]:
    """Every row once: contacts with the first number of queues, and so on."""
    found = [Case(held, queues[0], PARTITIONS) for held in contacts]
    found += [Case(contacts[0], number, PARTITIONS) for number in queues]
    found += [Case(contacts[0], queues[0], number) for number in partitions]
    yield from dict.fromkeys(found)


def shape_of(queues: int) -> Shape:
    """The simulated contact centre, queues copied until there are so many; transfers go to the originals."""
    known = DEFAULT_SHAPE.queues
    copied = ((n, known[n % len(known)]) for n in range(len(known), queues))
    return replace(DEFAULT_SHAPE, queues=(*known, *(replace(q, name=f"{q.name}-{n}") for n, q in copied)))


def measured(case: Case, events: int) -> Outcome:
    """One row."""
    data = make(events, SEED, shape=shape_of(case.queues))
    with stack(case.partitions) as parts:
        if case.contacts:
            filling = Filling(FILL_SEED, config=StreamConfig(partitions=case.partitions))
            filling.simulate(case.contacts)
            asyncio.run(filling.write(parts.servers))
            del filling
        asyncio.run(produce(parts.servers, data.messages))
        return asyncio.run(worker.measure(parts, data.truth))


def show(rows: dict[Case, Outcome]) -> None:
    """Print the table."""
    table = columns(HEADINGS, ("counted/true",))
    for case, used in rows.items():
        table.add_row(
            f"{case.contacts:,}",
            f"{case.queues}",
            f"{case.partitions}",
            f"{used.events:,}",
            f"{used.events / used.wall_s:,.0f}",
            f"{cpu_us(used):.1f}",
            f"{used.peak_mib:,.0f}",
            used.counted,
        )
    console().print(table)
    console().print(machine(), highlight=False)


def main() -> None:
    """Measure and print."""
    wanted = options()
    collect_rarely()
    rows: dict[Case, Outcome] = {}
    for case in cases(wanted.contacts, wanted.queues, wanted.partitions):
        print(f"measuring: {case}", file=sys.stderr, flush=True)
        rows[case] = measured(case, wanted.events)
        print(f"{cpu_us(rows[case]):.1f} µs/event", file=sys.stderr, flush=True)  # the table may take long
    show(rows)
    if wanted.json:
        listed = [asdict(case) | asdict(used) for case, used in rows.items()]
        wanted.json.write_bytes(
            orjson.dumps({"machine": machine(), "rows": listed}, option=orjson.OPT_INDENT_2)
        )


if __name__ == "__main__":
    main()
