"""`python -m bench.importing`: what it costs to import a file of JSON lines, by one process and by several.

Processes are worth it above adapters.sending.line_workers.LARGE_BYTES. CPU and memory are those of the import
and of its processes together, not Kafka's. All that the topic then holds is compared, as in bench.producers.
`--profile` shows instead where the time of one process goes, without a Kafka.
"""

import argparse
import asyncio
import cProfile
import io
import pstats
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from rich.console import Console

from adapters.events.json_lines import read_events
from adapters.sending.file_import import import_file
from adapters.sending.producer import Offsets
from adapters.sending.progress_bar import ImportProgress
from adapters.sending.records import OutgoingRecord
from bench.events import Input, make, save
from bench.meter import Outcome, told
from bench.producers import CPU, PEAK, RATE, RATE_OF_CPU, measured, show
from bench.send import IMPORT, JSON_LINES, OURS, PROCESSES
from bench.stack import stack
from schemas.codec import decode
from schemas.dead_letter import DeadLetter
from simulator.deliveries import ORDERLY

COUNT, SEED, TIMES, SHOWN = 400_000, 7, 3, 25
ROWS = {"one process": (OURS, IMPORT), "several processes": (OURS, PROCESSES)}


class Nowhere:
    """Takes everything."""

    async def send_canonical(self, record: OutgoingRecord) -> None:
        """Forget an event."""

    async def send_dead_letter(self, refused: DeadLetter) -> None:
        """Forget a refused line."""

    async def flush(self) -> Offsets:
        """Nothing is waited for."""
        return {}


def write_lines(data: Input, path: Path) -> None:
    """The events as a file that can be imported."""
    path.write_bytes(b"\n".join(orjson.dumps(decode(one.value).__dict__) for one in data.messages))


def profile(data: Input) -> None:
    """Print where the time goes."""
    quiet = ImportProgress(Console(file=io.StringIO(), force_terminal=False))
    with TemporaryDirectory(prefix="ringback-bench-") as name, cProfile.Profile() as profiler:
        write_lines(data, Path(name) / JSON_LINES)
        profiler.clear()
        reader = partial(read_events, secret=b"k")
        asyncio.run(import_file(Path(name) / JSON_LINES, reader, Nowhere(), quiet))
    pstats.Stats(profiler).sort_stats("tottime").print_stats(SHOWN)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.importing", description=__doc__)
    parser.add_argument("--events", type=int, default=COUNT, help="events (about)")
    parser.add_argument("--times", type=int, default=TIMES, help="how often each row is measured")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    wanted = parser.parse_args()
    data = make(wanted.events, SEED, ORDERLY)
    if wanted.profile:
        profile(data)
        return
    rows: dict[str, list[Outcome]] = {}
    with stack() as parts:
        save(data, parts.folder)
        write_lines(data, parts.folder / JSON_LINES)
        for _ in range(wanted.times):
            for name, row in ROWS.items():
                done = told(name, lambda row=row: measured(parts, data.messages, row))  # type: ignore[misc]
                rows.setdefault(name, []).append(done)
    show(rows, "import by", (RATE, CPU, RATE_OF_CPU, PEAK))


if __name__ == "__main__":
    main()
