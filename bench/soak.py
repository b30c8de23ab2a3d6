"""`python -m bench.soak --kills 60 --seed 1`: kill -9 for every part under load; status 1 on any difference.

Worker, sink, the real Kafka and the embedded ClickHouse are killed at seeded random points and started again
at once, while simulated events, doubled and late ones among them, flow without pause. In the end everything
must drain, `ringback verify` find no difference, and the windows be those that the simulator counted.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from shutil import copytree
from typing import Any

import orjson

from bench.counted import summed, verdict
from bench.events import Windows
from bench.feed import Feed, Sent
from bench.soak_parts import (
    BROKER,
    CLICKHOUSE,
    SINK,
    WORKER,
    Everything,
    environment,
    kill,
    running,
    without_foreign,
)
from bench.stack import Stack, stack
from bench.table import columns, console, machine
from deploy.local.child import log_tail
from kpis.tallies.windows import MEASURES
from sinks.connection import connect
from streams.health.group_lag import StillWaiting, wait_until_stored

PARTS = (WORKER, SINK, BROKER, CLICKHOUSE)
MEAN_S, LONGEST = 4.0, 3  # a pause is at most three times the mean
RATE, WORKERS = 400.0, 2
FEED_S, STILL_S, VERIFY_S = 120.0, 60.0, 600.0
POLL_S = 0.05
Plan = list[tuple[float, str]]


@dataclass
class Found:
    """What a run came to."""

    kills: dict[str, int]
    seconds: float = 0.0
    sent: Sent = field(default_factory=Sent)
    stored: int = 0  # different events of contacts and agents, in ClickHouse
    ended_alone: list[str] = field(default_factory=list)
    differences: int = -1  # of `ringback verify`; -1: it was not reached
    counted: str = ""
    trouble: str = ""

    @property
    def good(self) -> bool:
        """Everything drained, nothing differs, nothing ended by itself."""
        return not (self.differences or self.trouble or self.ended_alone) and self.counted.startswith("1 ")


def plan(kills: int, seed: int, mean_s: float) -> Plan:
    """Pause before each kill, and who is killed: every part as often as the others, in any order."""
    rng = Random(f"kills {seed}")
    whom = [PARTS[number % len(PARTS)] for number in range(kills)]
    rng.shuffle(whom)
    return [(min(rng.expovariate(1 / mean_s), LONGEST * mean_s), name) for name in whom]


def revive(everything: Everything, found: Found) -> None:
    """Start again what has ended by itself, and note it: only what is killed here may end."""
    for kind, parts in everything.items():
        for part in parts:
            if not part.alive():
                found.ended_alone.append(f"{kind}: {log_tail(part.log_path, 1)}")
                part.start()


def disturb(everything: Everything, steps: Plan, feed: Feed, seed: int, found: Found) -> None:
    """Carry out the plan."""
    rng, began = Random(f"which {seed}"), time.monotonic()
    for number, (pause_s, kind) in enumerate(steps, 1):
        until = time.monotonic() + pause_s
        while (left := until - time.monotonic()) > 0:
            revive(everything, found)
            time.sleep(min(left, POLL_S))
        feed.check()
        kill(rng.choice(everything[kind]))
        found.kills[kind] += 1
        at = f"{time.monotonic() - began:6.1f} s"
        print(f"{at}  kill {number}: {kind}, {feed.sent.events:,} events sent", file=sys.stderr)


def settle(parts: Stack, everything: Everything, found: Found) -> None:
    """Wait until all that is in Kafka is applied and stored. Raises StillWaiting."""
    while not parts.kafka.ready():
        time.sleep(POLL_S)
    asyncio.run(
        wait_until_stored(parts.servers, lambda _: revive(everything, found), STILL_S)
    )  # in this thread: what it starts ends with the thread that started it


def stored_windows(url: str) -> Windows:
    """The KPI windows in ClickHouse, summed over partitions."""
    sums = ", ".join(MEASURES)
    client = connect(url)
    rows = client.query(
        f"SELECT toUnixTimestamp(window_start) * 1000, channel, queue, {sums} FROM kpi_windows FINAL"
    ).result_rows
    return summed(((row[0], row[1], row[2]), dict(zip(MEASURES, row[3:], strict=True))) for row in rows)


def judge(parts: Stack, found: Found) -> None:
    """Compare: `ringback verify`, and the simulator's own account."""
    argv = [sys.executable, "-m", "cli.main", "verify", "--format", "json"]
    env = without_foreign() | environment(parts)
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=VERIFY_S, check=False)
    if done.returncode not in (0, 1):
        found.trouble = f"verify: status {done.returncode}: {done.stderr[-500:]}"
        return
    found.differences = orjson.loads(done.stdout)["differing"]
    found.counted = verdict(stored_windows(parts.clickhouse_url), found.sent.truth)
    if "note:" in done.stderr:
        found.trouble = f"verify did not wait: {done.stderr[-500:]}"
    client = connect(parts.clickhouse_url)
    count = "SELECT (SELECT count() FROM {0} FINAL)".format
    found.stored = sum(client.query(count(name)).result_rows[0][0] for name in ("events", "agent_events"))


def soak(parts: Stack, wanted: argparse.Namespace) -> Found:
    """The whole run."""
    found, began = Found(dict.fromkeys(PARTS, 0)), time.monotonic()
    feed = Feed(parts.servers, wanted.seed, wanted.rate)
    with running(parts, wanted.workers) as everything:
        feed.start()
        disturb(everything, plan(wanted.kills, wanted.seed, wanted.mean), feed, wanted.seed, found)
        try:
            found.sent = feed.finish(FEED_S)
            settle(parts, everything, found)
        except (StillWaiting, TimeoutError) as error:
            found.trouble = str(error)
        else:
            judge(parts, found)
    found.seconds = time.monotonic() - began
    return found


def document(found: Found) -> dict[str, Any]:
    """All of it for a program, without the windows."""
    sent = {name: value for name, value in vars(found.sent).items() if name != "truth"}
    return asdict(found) | {"sent": sent, "good": found.good}


def show(found: Found) -> None:
    """Print the table, and what is wrong."""
    headings = (*PARTS, "kills", "events", "sent twice", "out of order", "seconds", "differences")
    table = columns((*headings, "counted/true"), ("counted/true",))
    sent = found.sent
    numbers = [sum(found.kills.values()), sent.events, sent.duplicates, sent.late, round(found.seconds)]
    table.add_row(
        *(str(found.kills[name]) for name in PARTS),
        *(f"{number:,}" for number in numbers),
        str(found.differences) if found.differences >= 0 else "not compared",
        found.counted,
    )
    console().print(table)
    console().print(machine(), highlight=False)
    for what, often in Counter(found.ended_alone).items():
        print(f"ended by itself, {often} times: {what}")
    if found.trouble:
        print(found.trouble)


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1, help="decides events and kills")
    parser.add_argument("--mean", type=float, default=MEAN_S, help="seconds between kills, on average")
    parser.add_argument("--rate", type=float, default=RATE, help="events per second")
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep the logs here")
    return parser.parse_args(arguments)


def main() -> int:
    """Run and print; the exit status."""
    wanted = options()
    with stack() as parts:
        try:
            found = soak(parts, wanted)
        finally:
            if wanted.logs:
                copytree(parts.folder / "logs", wanted.logs, dirs_exist_ok=True)
    show(found)
    if wanted.json:
        wanted.json.write_bytes(orjson.dumps(document(found), option=orjson.OPT_INDENT_2))
    return 0 if found.good else 1


if __name__ == "__main__":
    sys.exit(main())
