"""`python -m bench.recovery`: how long a worker takes to recover and what it holds, by contacts.

The changelogs are filled by `bench.fill`; then a real worker is started on them. Time runs from the start of
the process until it is ready for events. Memory per contact is what a recovered worker has more than an empty
one; the changelog per contact is counted as written and as the broker's files have it, compressed.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from bench.fill import Filling
from bench.group import READY_POLL_S, command, require_alive
from bench.meter import MIB, Meter
from bench.stack import Stack, stack
from bench.table import columns, console, machine
from bench.worker import WORKER
from deploy.local.child import ChildProcess
from streams.progress import Watch
from streams.readiness import VARIABLE
from streams.topics import CHANGELOGS, CONTACT_FACTS, KPI_WINDOWS

SIZES, SEED = (100_000, 300_000, 1_000_000), 23
HEADINGS = (
    "contacts", "records", "ready s", "contacts/s", "CPU s", "peak MiB", "bytes/contact in memory",
    "in the changelog", "on disk",
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


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.recovery", description=__doc__)
    parser.add_argument(
        "--contacts", type=int, nargs="+", default=SIZES, metavar="N", help="sizes, ascending"
    )
    parser.add_argument(
        "--copies", type=int, default=1, metavar="N", help="simulate one contact in N, and write it N times"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


async def recovered(parts: Stack, filling: Filling) -> Recovery:
    """Start a worker and wait until it is ready."""
    started = command(parts, WORKER)
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
    )


async def require_silence(servers: str) -> None:
    """It has recovered and nothing else: had it not found its last batch done, it had counted anew."""
    async with Watch(servers) as watch:
        assert not any((await watch.ends((CONTACT_FACTS, KPI_WINDOWS))).values())


def on_disk(folder: Path) -> int:
    """Bytes of the changelogs in the broker's files."""
    return sum(file.stat().st_size for name in CHANGELOGS for file in folder.rglob(f"{name}-*/*.log"))


def measure(parts: Stack, sizes: Sequence[int], copies: int) -> list[Recovery]:
    """An empty worker first, then one size after the other on the same changelogs, which grow."""
    filling = Filling(SEED, copies)
    rows = [asyncio.run(recovered(parts, filling))]
    for size in sorted(sizes):
        print(f"filling: {size:,} contacts", file=sys.stderr, flush=True)
        began = time.monotonic()
        filling.simulate(size)
        asyncio.run(filling.write(parts.servers))
        print(f"filled in {time.monotonic() - began:.0f} s; recovering", file=sys.stderr, flush=True)
        rows.append(asyncio.run(recovered(parts, filling)))
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
            changelog, disk = row.changelog_bytes / row.contacts, row.disk_bytes / row.contacts
            speed = row.contacts / max(row.ready_s - empty.ready_s, 0.01)
            table.add_row(*cells, f"{speed:,.0f}", *rest, *(f"{n:,.0f}" for n in (memory, changelog, disk)))
        else:
            table.add_row(*cells, "", *rest, "", "", "")
    console().print(table)
    console().print(f"contacts/s beyond an empty start; {machine()}", highlight=False)


def main() -> None:
    """Measure and print."""
    wanted = options()
    with stack() as parts:
        rows = measure(parts, wanted.contacts, wanted.copies)
    show(rows)
    if wanted.json:
        document = {"machine": machine(), "rows": [asdict(row) for row in rows]}
        wanted.json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
