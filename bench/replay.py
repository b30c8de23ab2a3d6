"""`python -m bench.replay`: kept events through the worker into fresh tables, and the same numbers.

A simulated centre's events (late, doubled, corrected) are counted by a worker and a sink, and exported. Then
each source of `ringback replay` fills an empty Kafka and ClickHouse, worker and sink at work beside it.
Measured are the command, all of it; the worker, from the command's start until it has committed every event;
and the sink, until all is stored. CPU is that of the one process.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from dataclasses import replace
from glob import glob

from bench.counted import verdict
from bench.digests import digests, same
from bench.events import Input, make
from bench.group import Member, command, consume, finished, require_alive, running
from bench.meter import SAMPLE_S, Meter, Outcome, told
from bench.producers import show
from bench.rebuild import watched
from bench.sink import SINK, windows
from bench.stack import Stack, produce, stack
from bench.worker import WORKER
from deploy.local.child import ChildProcess, log_tail
from sinks.connection import connect
from streams.health.group_lag import OffsetReader

COUNT, SEED = 200_000, 7
KIB_A_MIB = 1024
# Name -> what `ringback replay` is told, of where things are.
SOURCES = {
    "Avro files": ("files", "{folder}/avro/*.avro"),
    "Parquet files": ("files", "{folder}/parquet/*.parquet"),
    "another Kafka": ("kafka", "--brokers", "{servers}"),
    "another ClickHouse": ("clickhouse", "--url", "{clickhouse_url}"),
}


def run(parts: Stack, *arguments: str) -> tuple[float, float]:
    """Run a command of Ringback; its CPU-seconds and peak MiB. RuntimeError with what it said if it fails."""
    wanted = command(parts, Member(arguments[0], ("cli.main", *arguments), "", ()))
    wanted.log_path.parent.mkdir(exist_ok=True)
    with wanted.log_path.open("wb") as log:
        process = subprocess.Popen(
            wanted.argv, env={**os.environ, **wanted.env}, stdout=log, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{wanted.argv} failed: {log_tail(wanted.log_path, 10)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / KIB_A_MIB


def arguments_of(source: tuple[str, ...], live: Stack) -> list[str]:
    """What the command is told, file names spelt out."""
    places = {"folder": live.folder, "servers": live.servers, "clickhouse_url": live.clickhouse_url}
    filled = [argument.format(**places) for argument in source]
    return [
        name for argument in filled for name in (sorted(glob(argument)) if "*" in argument else [argument])
    ]


async def until_done(watch: OffsetReader, member: Member, child: ChildProcess) -> int:
    """Wait until all that is in its topics now is committed; how many records these are."""
    ends = await watch.ends(member.topics)
    while not await finished(watch, member, ends):
        require_alive(child)
        await asyncio.sleep(SAMPLE_S)
    return sum(ends.values())


async def replayed(parts: Stack, arguments: list[str]) -> dict[str, Outcome]:
    """Replay into an empty stack; what command, worker and sink took, without what came of it."""
    async with (
        OffsetReader(parts.servers) as watch,
        running(parts, WORKER) as worker,
        running(parts, SINK) as sink,
    ):
        of_worker, of_sink, begun = Meter(worker.pid), Meter(sink.pid), time.monotonic()
        with watched(of_worker), watched(of_sink):
            cpu, peak = await asyncio.to_thread(run, parts, "replay", *arguments, "--no-wait")
            wall = time.monotonic() - begun
            events = await until_done(watch, WORKER, worker)
            rows = {"the command": Outcome(events, wall, cpu, peak, f"{events:,} records")}
            rows["worker"] = of_worker.outcome(events)
            rows["sink"] = of_sink.outcome(await until_done(watch, SINK, sink))
    return rows


async def counted_live(parts: Stack, data: Input) -> Outcome:
    """Count the events as they came, and export them; what it took the worker."""
    await produce(parts.servers, data.messages)
    outcome = await consume(parts, WORKER)
    await consume(parts, SINK)
    await asyncio.to_thread(run, parts, "export", "kafka", str(parts.folder / "avro"))
    await asyncio.to_thread(
        run, parts, "export", "clickhouse", str(parts.folder / "parquet"), "--as", "parquet"
    )
    return replace(outcome, counted=verdict(windows(parts.clickhouse_url), data.truth))


def main() -> None:
    """Measure and print; status 1 where a number is another one."""
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("--events", type=int, default=COUNT, help="events (about)")
    wanted = parser.parse_args()
    data = make(wanted.events, SEED)
    with stack() as live:
        rows = {"live: worker": told("live", lambda: asyncio.run(counted_live(live, data)))}
        right = digests(connect(live.clickhouse_url))
        for name, source in SOURCES.items():
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            with stack() as parts:
                found = asyncio.run(replayed(parts, arguments_of(source, live)))
                values = verdict(windows(parts.clickhouse_url), data.truth)
                same_windows = same(digests(connect(parts.clickhouse_url)), right)
            found["worker"] = replace(found["worker"], counted=values)
            found["sink"] = replace(found["sink"], counted=same_windows)
            rows |= {f"{name}: {who}": outcome for who, outcome in found.items()}
    show({name: [outcome] for name, outcome in rows.items()})
    if not all(row.counted.startswith("1 (") for name, row in rows.items() if not name.endswith("command")):
        sys.exit(1)


if __name__ == "__main__":
    main()
