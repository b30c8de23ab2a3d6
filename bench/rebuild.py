"""`python -m bench.rebuild`: facts and all KPI windows recomputed from raw events by SQL, at scale.

A simulated centre's events (late, doubled, corrected) are stored, and each contact so many times more under
ids of its own, as are its customers: a centre of that many times the size, whose windows are so many times
the simulator's own account. Measured is the embedded ClickHouse, which does all the work; there is no Kafka.
Then every row is made, compared with what stands (nothing) and put in place, as `ringback rebuild` does.

With --differing N another rebuild goes before, of events that lack some and have some too many of every Nth
contact: what is measured then stands beside facts and windows of which a part is wrong.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Told
from threading import Thread

from clickhouse_connect.driver.client import Client

from bench.counted import summed, verdict
from bench.events import Input, Windows, make
from bench.meter import SAMPLE_S, Meter, Outcome
from bench.oracle import until_settled
from bench.rebuild_events import mend, spoil, store
from bench.sink import windows
from bench.table import columns, console, cpu_us, machine
from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port
from kpis.rules import DEFAULT_RULES
from kpis.tallies.fcr import FCR_MEASURES
from maintenance.rebuild import ledger
from maintenance.rebuild.shadow import Compared, Shadow
from maintenance.rebuild.swap import put_in_place
from reports import oracle as recomputing
from reports.oracle import MEMORY_BYTES, Step, TableFiller, recomputed
from reports.rebuilt import RebuildReport, all_facts, by_partition, report_of
from sinks.connection import connect
from sinks.rule_parameters import rule_parameters
from sinks.writer import migrate
from sql import oracle_queries as oracle

COUNT, BASE, SEED, PARTITIONS = 5_000_000, 500_000, 7, 4
ROW_VERSION = 3  # of a rebuild of an empty Kafka; one more must be greater


class Steps:
    """CPU-seconds of each step, in all slices together: what a rebuild costs, by what it does."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.used: Callable[[], float] = time.process_time  # until the one that is measured is known

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add what a block takes to a step."""
        begun = self.used()
        yield
        self.seconds[name] = self.seconds.get(name, 0) + self.used() - begun


class TimedFiller(TableFiller):
    """Fills tables and notes how long each took."""

    steps = Steps()

    def do(self, step: Step, statement: str, part: dict[str, object]) -> None:
        """One slice of a step."""
        with self.steps.timed(step.table.removeprefix("oracle_").rsplit("_", 1)[0]):
            super().do(step, statement, part)


@contextmanager
def watched(meter: Meter) -> Iterator[None]:
    """Look at the memory while a block runs."""
    over = Told()

    def look() -> None:
        while not over.wait(SAMPLE_S):
            meter.sample()

    thread = Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def rebuild(client: Client, steps: Steps, memory_bytes: int, row_version: int) -> RebuildReport:
    """All that `ringback rebuild` does in ClickHouse."""
    versions = {stage: [row_version] * PARTITIONS for stage in ("contacts", "customers", "agents")}
    begun = ledger.write(client, ledger.new({}, versions), ledger.BEGUN)
    parameters = rule_parameters(DEFAULT_RULES) | {"queues": []}
    shadow = Shadow(client, begun, parameters, oracle.settings(memory_bytes))
    with recomputed(client, DEFAULT_RULES, None, memory_bytes, partitions=PARTITIONS) as tables:
        with steps.timed("rows that differ"):
            shadow.make(Compared(by_partition(tables, False), all_facts(tables, False)), False)
        with steps.timed("what stands"):
            made = shadow.settle()
    with steps.timed("report"):
        report = report_of(client, made, begun.table)
    with steps.timed("put in place"):
        put_in_place(client, begun, {})
    return report


def multiplied(truth: Windows, copies: int) -> Windows:
    """The account of a centre so many times the size."""
    return {key: {name: value * copies for name, value in sums.items()} for key, sums in truth.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.rebuild", description=__doc__)
    parser.add_argument("--events", type=int, default=COUNT, help="events (about)")
    parser.add_argument("--base", type=int, default=BASE, help="of these, simulated (about); the rest copies")
    parser.add_argument("--memory-mb", type=int, default=MEMORY_BYTES // 1_000_000, help="of a query")
    parser.add_argument(
        "--differing", type=int, default=0, metavar="N", help="let facts of each Nth stand wrong"
    )
    parser.add_argument("--folder", type=Path, help="where the data lies meanwhile")
    parser.add_argument("--recompute-only", action="store_true", help="without comparing and swapping")
    wanted = parser.parse_args()
    copies = max(wanted.events // wanted.base, 1)
    data = make(wanted.base, SEED)
    with TemporaryDirectory(prefix="ringback-bench-", dir=wanted.folder) as name:
        clickhouse = LocalClickHouse(Path(name), free_port())
        clickhouse.start()
        try:
            measure(clickhouse, data, copies, wanted)
        finally:
            clickhouse.stop()


def measure(clickhouse: LocalClickHouse, data: Input, copies: int, wanted: argparse.Namespace) -> None:
    """Store, rebuild, compare with the simulator's account."""
    client, memory = connect(clickhouse.address), wanted.memory_mb * 1_000_000
    migrate(client)
    begun = time.monotonic()
    count = store(client, data, copies)
    if wanted.differing:
        make_differ(client, wanted.differing, memory)
    until_settled(clickhouse.address)
    print(f"{count:,} rows stored in {time.monotonic() - begun:.0f} s", flush=True)
    assert clickhouse.pid is not None
    steps, meter = TimedFiller.steps, Meter(clickhouse.pid)
    steps.used = meter.used
    recomputing.TableFiller = TimedFiller  # type: ignore[misc]
    truth, stood = multiplied(data.truth, copies), all_windows(clickhouse.address)
    with watched(meter):
        if wanted.recompute_only:
            with recomputed(client, DEFAULT_RULES, None, memory) as tables:
                outcome = meter.outcome(count)
                counted = verdict(windows(clickhouse.address, tables.windows), truth)
        else:
            report = rebuild(client, steps, memory, ROW_VERSION + 2)
            outcome = meter.outcome(count)
            counted = verdict(windows(clickhouse.address), truth)
            print(told(report, changed(stood, all_windows(clickhouse.address))))
    show(replace(outcome, counted=counted), steps)


def make_differ(client: Client, every: int, memory_bytes: int) -> None:
    """Let facts and windows stand of which those of every so manyth contact are wrong."""
    lacking = spoil(client, every)
    report = rebuild(client, Steps(), memory_bytes, ROW_VERSION)
    mend(client)
    rows = ", ".join(f"{count:,} {table}" for table, count in report.rows.items() if count)
    print(f"stand: {rows}; {lacking:,} contacts lacked events", flush=True)


def all_windows(url: str) -> Windows:
    """Windows of both tables as they stand, those of repeat contacts under a channel of their own."""
    query = f"SELECT toUnixTimestamp64Milli(window_start), channel, queue, days, {', '.join(FCR_MEASURES)} "
    rows = connect(url).query(f"{query} FROM fcr_windows FINAL").result_rows
    repeats = (
        ((start, f"{channel} {days}", queue), dict(zip(FCR_MEASURES, values, strict=True)))
        for start, channel, queue, days, *values in rows
    )
    return windows(url) | summed(repeats)


def changed(before: Windows, after: Windows) -> int:
    """How many windows are other than they were."""
    return sum(before.get(key, {}) != after.get(key, {}) for key in before.keys() | after.keys())


def told(report: RebuildReport, windows_changed: int) -> str:
    """What the rebuild says that it changed, and how many windows did."""
    rows = ", ".join(f"{count:,} {table}" for table, count in report.rows.items() if count)
    return f"reported: {report.windows:,} windows ({windows_changed:,} changed); rows: {rows}"


def show(outcome: Outcome, steps: Steps) -> None:
    """Print the table and what each step took."""
    names = ("events", "events/s", "CPU-seconds", "CPU µs/event", "peak MiB", "counted/true")
    table = columns(names, ("counted/true",))
    table.add_row(
        f"{outcome.events:,}",
        f"{outcome.events / outcome.wall_s:,.0f}",
        f"{outcome.cpu_s:,.0f}",
        f"{cpu_us(outcome):.2f}",
        f"{outcome.peak_mib:,.0f}",
        outcome.counted,
    )
    console().print(table)
    for name, seconds in steps.seconds.items():
        console().print(
            f"{name:20} {seconds:8.1f} s of CPU  {100 * seconds / outcome.cpu_s:5.1f} %", highlight=False
        )
    console().print(machine(), highlight=False)


if __name__ == "__main__":
    main()
