"""What the stream made of its input, as tests compare it: windows, KPIs, lags, and how a command ended."""

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from support.stack import Stack, run_ringback

from bench.digests import Digests
from bench.digests import digests as window_digests
from kpis.tallies.windows import MEASURES
from schemas.events import Event
from schemas.topics import CONTACT_EVENTS, SINK_GROUP, SINK_TOPICS, WORKER_GROUP
from streams.health.group_lag import OffsetReader, wait_until_stored

STILL_S = 60.0
READ_BY = {WORKER_GROUP: (CONTACT_EVENTS,), SINK_GROUP: SINK_TOPICS}
Windows = dict[tuple[int, str, str], dict[str, int]]


def ended(
    env: Mapping[str, str], status: int, *args: str, limit_s: float = 240
) -> subprocess.CompletedProcess[str]:
    """Run a command that must end with this status, and never with a traceback."""
    done = run_ringback(env, *args, limit_s=limit_s)
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert done.returncode == status, f"{args}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def answer(env: Mapping[str, str], *args: str, limit_s: float = 240) -> Any:
    """What a command that must succeed prints with --format json."""
    return json.loads(ended(env, 0, *args, "--format", "json", limit_s=limit_s).stdout)


def verified(env: Mapping[str, str], *args: str) -> dict[str, Any]:
    """The report of `ringback verify`, which must not note a single difference."""
    done = ended(env, 0, "verify", *args, "--format", "json")
    report: dict[str, Any] = json.loads(done.stdout)
    assert (report["differing"], report["differences"]) == (0, [])
    assert "note:" not in done.stderr, done.stderr  # it did wait until all was stored
    return report


def windows(stack: Stack, begin: int = 0, end: int = 2**42) -> Windows:
    """Measures that are not 0 by (minute in UTC ms, channel, queue), summed over partitions."""
    sums = ", ".join(f"sum({name})" for name in MEASURES)
    rows = stack.rows(
        f"SELECT toUnixTimestamp(window_start) * 1000 AS start, channel, queue, {sums} "
        "FROM kpi_windows FINAL WHERE start >= {begin:Int64} AND start < {end:Int64} "
        "GROUP BY start, channel, queue",
        begin=begin,
        end=end,
    )
    named = {row[:3]: dict(zip(MEASURES, row[3:], strict=True)) for row in rows}
    present = {key: {name: value for name, value in row.items() if value} for key, row in named.items()}
    return {key: row for key, row in present.items() if row}


def digests(stack: Stack) -> Digests:
    """A digest of all rows of each window, by table and its beginning in UTC ms, versions left out."""
    with stack.client() as client:
        return window_digests(client)


def totals(found: Windows) -> dict[str, int]:
    """Sums over windows; a measure that is 0 everywhere is 0 here too."""
    sums: dict[str, int] = defaultdict(int)
    for row in found.values():
        for name, value in row.items():
            sums[name] += value
    return sums


def json_lines(events: Iterable[Event]) -> bytes:
    """Events as a file for `ringback import events`."""
    return b"".join(orjson.dumps(event.__dict__, option=orjson.OPT_APPEND_NEWLINE) for event in events)


async def lag(stack: Stack, group: str) -> int:
    """Records that a group has not done; all of contact-events for a group that never read any."""
    async with OffsetReader(stack.bootstrap_servers) as watch:
        return sum(part.events for part in await watch.lags(group, READ_BY.get(group, (CONTACT_EVENTS,))))


async def stored(stack: Stack) -> None:
    """Wait until all that is in Kafka is applied and stored."""
    await wait_until_stored(stack.bootstrap_servers, lambda _: None, STILL_S)
