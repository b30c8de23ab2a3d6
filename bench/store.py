"""`python -m bench.store`: what an event costs with state in memory and on disk, by contacts held.

All stages in one process, without Kafka, the same simulated events for both; CPU time includes RocksDB's own
threads. Contacts are new each week, so most look-ups are of keys that are there for a week, or not at all.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.fill import CONFIG, CONTACTS_AT_ONCE, Filling
from bench.table import columns, console, machine
from schemas.topics import CONTACT_EVENTS
from streams.config import StreamConfig

SEED, CONTACTS = 29, 60_000
HEADINGS = ("state", "contacts", "CPU us/event", "resident MiB", "MiB on disk")


def resident_mib() -> float:
    """Of this process, now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def events_of(filling: Filling) -> int:
    """Contact events so far; what stages pass on is part of their cost."""
    return sum(read for (topic, _), read in filling.read.items() if topic == CONTACT_EVENTS)


def measured(config: StreamConfig, contacts: int, folder: Path) -> Iterator[tuple[str, ...]]:
    """A row for each third of the contacts."""
    filling = Filling(SEED, config=config)
    events = cpu = 0.0
    for block in range(1, contacts // CONTACTS_AT_ONCE + 1):
        before, began = events_of(filling), time.process_time()
        filling.simulate(block * CONTACTS_AT_ONCE)
        cpu += time.process_time() - began
        events += events_of(filling) - before
        filling.unwritten.clear()
        if block % max(contacts // CONTACTS_AT_ONCE // 3, 1) == 0:
            disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20
            figures = (f"{cpu / events * 1e6:.1f}", f"{resident_mib():,.0f}", f"{disk:,.0f}")
            yield config.state_store, f"{filling.contacts:,}", *figures
            events = cpu = 0.0


def main() -> None:
    """Measure one store in this process, so that memory is that of the one alone."""
    parser = argparse.ArgumentParser(prog="python -m bench.store", description=__doc__)
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    parser.add_argument("--store", choices=("memory", "rocksdict"), default="memory")
    wanted = parser.parse_args()
    table = columns(HEADINGS, ())
    with tempfile.TemporaryDirectory() as folder:
        config = replace(CONFIG, state_store=wanted.store, state_dir=Path(folder))
        for row in measured(config, wanted.contacts, Path(folder)):
            print(*row, file=sys.stderr, flush=True)
            table.add_row(*row)
    console().print(table)
    console().print(f"simulating events included; {machine()}", highlight=False)


if __name__ == "__main__":
    main()
