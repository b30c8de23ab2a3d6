"""`python -m bench.recovery`: how long a worker takes to recover and what it holds, by contacts.

The changelogs are filled by `bench.fill`; then a real worker is started on them. Time runs from the start of
the process until it is ready for events. Memory per contact is what a recovered worker has more than an empty
one. The changelog per contact is counted as written and as the broker's files have it, compressed. With
`--store rocksdict` most of the memory is caches of a fixed size, and each size is recovered twice: from the
changelogs, and then from what is on disk.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from bench.fill import Filling
from bench.group import READY_POLL_S, command, require_alive
from bench.meter import MIB, Meter
from bench.stack import Stack, stack
from bench.table import columns, console, machine
from bench.worker import WORKER
from deploy.local.child import ChildProcess
from schemas.topics import CHANGELOGS, CONTACT_FACTS, KPI_WINDOWS
from streams.health.group_lag import OffsetReader
from streams.health.ready_file import VARIABLE

SIZES, SEED = (100_000, 300_000, 1_000_000), 23
HEADINGS = (
    "contacts", "records", "ready s", "contacts/s", "CPU s", "peak MiB", "bytes/contact in memory",
    "in the changelog", "in its files", "in the store's files",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recovery:
    """A row of the table. Sizes are those of the whole state, of all stages."""

    contacts: int
    records: int
    ready_s: float
    cpu_s: float
    peak_mib: float
    resident_mib: float
    changelog_bytes: int
    disk_bytes: int
    store_bytes: int


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.recovery", description=__doc__)
    parser.add_argument(
        "--contacts", type=int, nargs="+", default=SIZES, metavar="N", help="sizes, ascending"
    )
    parser.add_argument(
        "--copies", type=int, default=1, metavar="N", help="simulate one contact in N, and write it N times"
    )
    parser.add_argument("--store", choices=("memory", "rocksdict"), default="memory")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


async def recovered(parts: Stack, filling: Filling, store: str) -> Recovery:
    """Start a worker and wait until it is ready."""
    started = command(parts, WORKER)
    started = replace(started, env={**started.env, "RINGBACK_STATE_STORE": store})
    child = ChildProcess(started)
    try:
        meter = Meter(child.pid)
        while not Path(started.env[VARIABLE]).exists():  # noqa: ASYNC240 - one look at a local file
            require_alive(child)
            meter.sample()
            await asyncio.sleep(READY_POLL_S)
        used = meter.outcome(filling.contacts)
        resident = meter.resident_mib
    finally:
        child.stop()
    await require_silence(parts.servers)
    return Recovery(
        filling.contacts,
        filling.records,
        round(used.wall_s, 2),
        round(used.cpu_s, 2),
        round(used.peak_mib, 1),
        round(resident, 1),
        filling.size,
        on_disk(parts.folder),
        sum(file.stat().st_size for file in parts.folder.rglob("rocksdict/**/*") if file.is_file()),
    )


async def require_silence(servers: str) -> None:
    """It has recovered and nothing else: had it not found its last batch done, it had counted anew."""
    async with OffsetReader(servers) as watch:
        assert not any((await watch.ends((CONTACT_FACTS, KPI_WINDOWS))).values())


def on_disk(folder: Path) -> int:
    """Bytes of the changelogs in the broker's files."""
    return sum(file.stat().st_size for name in CHANGELOGS for file in folder.rglob(f"{name}-*/*.log"))


def measure(parts: Stack, sizes: Sequence[int], copies: int, store: str) -> list[Recovery]:
    """An empty worker first, then one size after the other on the same changelogs, which grow."""
    filling = Filling(SEED, copies)
    rows = [asyncio.run(recovered(parts, filling, store))]
    for size in sorted(sizes):
        print(f"filling: {size:,} contacts", file=sys.stderr, flush=True)
        began = time.monotonic()
        filling.simulate(size)
        asyncio.run(filling.write(parts.servers))
        print(f"filled in {time.monotonic() - began:.0f} s; recovering", file=sys.stderr, flush=True)
        for _ in range(2 if store == "rocksdict" else 1):
            rows.append(asyncio.run(recovered(parts, filling, store)))
    return rows


def show(rows: Sequence[Recovery]) -> None:
    """Print the table."""
    table = columns(HEADINGS, ())
    empty = rows[0]
    for row in rows:
        cells = [f"{row.contacts:,}", f"{row.records:,}", f"{row.ready_s:.1f}"]
        rest = [f"{row.cpu_s:.1f}", f"{row.peak_mib:,.0f}"]
        if row.contacts:
            memory = (row.resident_mib - empty.resident_mib) * MIB / row.contacts
            sizes = (row.changelog_bytes, row.disk_bytes, row.store_bytes)
            speed = row.contacts / max(row.ready_s - empty.ready_s, 0.01)
            table.add_row(
                *cells,
                f"{speed:,.0f}",
                *rest,
                *(f"{n:,.0f}" for n in (memory, *(size / row.contacts for size in sizes))),
            )
        else:
            table.add_row(*cells, "", *rest, "", "", "", "")
    console().print(table)
    console().print(f"contacts/s beyond an empty start; {machine()}", highlight=False)


def main() -> None:
    """Measure and print."""
    wanted = options()
    with stack() as parts:
        rows = measure(parts, wanted.contacts, wanted.copies, wanted.store)
    show(rows)
    if wanted.json:
        document = {"machine": machine(), "rows": [asdict(row) for row in rows]}
        wanted.json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
