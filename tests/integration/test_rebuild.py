"""`ringback rebuild` beside a live stream: wrong rows are put right at once, and nothing right is lost."""

import os
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from support.every_kind import EVERY_KIND
from support.numbers import Windows, answer, ended, stored, verified, windows
from support.stack import RINGBACK, Stack, background

from kpis.tallies.windows import MEASURES
from sinks.connection import connect

pytestmark = pytest.mark.stack
ROUNDS = int(os.environ.get("RINGBACK_REBUILD_ROUNDS", "1"))
KILLS = int(os.environ.get("RINGBACK_REBUILD_KILLS", "1"))
SEED = int(os.environ.get("RINGBACK_REBUILD_SEED", "0"))  # parts of a long run differ by it
VERIFIED_EVERY = 5  # of many rounds
LONGEST_S = float(os.environ.get("RINGBACK_REBUILD_KILL_S", "6"))
WINDOW = ("window_start", "channel", "queue", "partition")


def insert_wrong(stack: Stack, seed: int) -> set[tuple[int, str, str]]:
    """Wrong windows and facts, of the versions they have; the windows that are wrong."""
    with stack.client() as client:
        chosen = "cityHash64(window_start, channel, queue, partition, {seed:UInt64}) % 20 = 0"
        values = {"seed": seed}
        wrong = client.query(
            "SELECT DISTINCT toUnixTimestamp(window_start) * 1000, channel, queue FROM kpi_windows FINAL "
            f"WHERE {chosen}",
            parameters=values,
        ).result_rows
        others = ", ".join("answered + 7 AS answered" if name == "answered" else name for name in MEASURES)
        client.command(
            f"INSERT INTO kpi_windows ({', '.join(WINDOW)}, {', '.join(MEASURES)}, version) "
            f"SELECT {', '.join(WINDOW)}, {others}, version FROM kpi_windows FINAL WHERE {chosen}",
            parameters=values,
        )
        for table, change in (
            ("contacts", "legs + 1 AS legs"),
            ("legs", "1 AS is_deleted"),
            ("fcr", "1 - failed AS failed"),
            ("agent_quarters", "sessions + 1 AS sessions"),
        ):
            own = "agent" if table == "agent_quarters" else "contact_id"
            client.command(
                f"INSERT INTO {table} SELECT * REPLACE ({change}) FROM {table} FINAL "
                f"WHERE cityHash64({own}, {{seed:UInt64}}) % 20 = 0",
                parameters=values,
            )
        client.command(
            "INSERT INTO contacts SELECT * REPLACE (concat('nobody ', toString({seed:UInt64})) "
            "AS contact_id, 1 AS version) FROM contacts FINAL LIMIT 1",
            parameters=values,
        )
        client.command(
            "INSERT INTO fcr_windows SELECT * REPLACE (anchors + 3 AS anchors) FROM fcr_windows FINAL LIMIT 5"
        )
    return {tuple(row) for row in wrong}


class Readers:
    """Threads that read windows all the time; `seen` has every number that any of them saw, None for none."""

    def __init__(self, stack: Stack, watched: set[tuple[int, str, str]], number: int = 3) -> None:
        self.url = stack.clickhouse_url
        self.seen: dict[tuple[int, str, str], set[int | None]] = {key: set() for key in watched}
        self.reads = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(number)]

    def _read(self) -> None:
        with closing(connect(self.url)) as client:
            while not self._stop.is_set():
                rows = client.query(
                    "SELECT toUnixTimestamp(window_start) * 1000 AS start, channel, queue, sum(answered) "
                    "FROM kpi_windows FINAL GROUP BY start, channel, queue"
                ).result_rows
                found = {(row[0], row[1], row[2]): row[3] for row in rows}
                self.reads += 1
                for key, values in self.seen.items():
                    values.add(found.get(key))
                time.sleep(0.1)

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def writing(stack: Stack, seed: int) -> Iterator[subprocess.Popen[bytes]]:
    """Contacts of another time than those that readers look at, while the block runs."""
    command = [*RINGBACK, "simulate", "--contacts", "80", "--seed", str(seed), "--no-wait"]
    env = os.environ | stack.env()
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.wait(60)


def killed(stack: Stack, after_s: float) -> None:
    """A rebuild that is killed after a while."""
    with subprocess.Popen(
        [*RINGBACK, "rebuild"], env=os.environ | stack.env(), stdout=subprocess.DEVNULL
    ) as process:
        time.sleep(after_s)
        process.kill()


def versions(stack: Stack) -> dict[tuple[tuple[int, str, str], int], int]:
    """Version of each row of a window, by window and partition; those of rebuilds are odd."""
    rows = stack.rows(
        "SELECT toUnixTimestamp(window_start) * 1000, channel, queue, partition, version "
        "FROM kpi_windows FINAL"
    )
    return {(row[:3], row[3]): row[4] for row in rows}


def answered_of(found: Windows) -> dict[tuple[int, str, str], int]:
    return {key: row.get("answered", 0) for key, row in found.items()}


@pytest.fixture(scope="module")
def live(stack: Stack) -> Iterator[Stack]:
    with background(stack.env(), "worker"), background(stack.env(), "sink"):
        ended(stack.env(), 0, "simulate", "--contacts", "80", "--seed", "3")
        yield stack


async def test_under_readers_and_a_writer(live: Stack) -> None:
    stack, reads, watched, explained, put = live, 0, 0, 0, set[str]()
    for number in range(SEED, SEED + ROUNDS):
        before = windows(stack)
        right = answered_of(before)
        wrong = insert_wrong(stack, number)
        stands, known = answered_of(windows(stack)), versions(stack)
        with Readers(stack, wrong) as readers, writing(stack, 1_000 + number):
            report = answer(stack.env(), "rebuild")
        assert report["in_place"]
        assert report["windows"] <= len(report["changes"])
        put |= {table for table, rows in report["rows"].items() if rows}
        explained += sum(bool(change["events"]) for change in report["changes"])
        await stored(stack)
        if (number + 1 - SEED) % VERIFIED_EVERY == 0 or number == SEED + ROUNDS - 1:
            verified(stack.env())
        after = windows(stack)
        now = answered_of(after)
        # What the stream has overtaken by itself is no rebuild's.
        assert sum(after.get(key) == before.get(key) for key in wrong) <= report["windows"]
        # Of what the writer moved as well, if only in one partition, any number in between may be seen.
        written = {key for (key, part), version in versions(stack).items()
                   if version % 2 == 0 and known.get((key, part)) != version}  # fmt: skip
        still = wrong - written
        for key in still:
            assert now.get(key, 0) == right.get(key, 0), key
            assert readers.seen[key] <= {stands[key], right.get(key, 0)}, key
        reads, watched = reads + readers.reads, watched + len(still)
        print(f"round {number}: {readers.reads} reads, {len(still)} windows watched", flush=True)
    assert reads > 0
    assert watched > 0
    # In some round a wrong fact is of a wrong window, and some are wrong in every table.
    assert explained > 0
    assert put >= {"contacts", "legs", "fcr", "agent_quarters"}
    print(f"{ROUNDS} rebuilds, {reads} reads, {watched} windows watched")


async def test_listed_with_what_was_asked_and_how_it_ended(live: Stack) -> None:
    stack = live
    await stored(stack)
    assert not answer(stack.env(), "rebuild")["rows"].get("kpi_windows")  # nothing is wrong so far
    insert_wrong(stack, 78)
    tried = answer(stack.env(), "rebuild", "--dry-run", "--queue", "sales", "--queue", "billing")
    done = answer(stack.env(), "rebuild", "--from", "2000-01-01", "--to", "2190-01-01")
    env = stack.env(RINGBACK_TIMEZONE="Europe/Rome", COLUMNS="200")
    listed = ended(env, 0, "rebuild", "--list").stdout.splitlines()
    assert "Europe/Rome" in listed[0]
    first, second, third = (line.split("  ", 1)[1] for line in listed[1:4])
    assert done["id"] in listed[1]
    assert tried["id"] in listed[2]
    assert "in place" in first
    assert "2000-01-01 01:00 to 2190-01-01 01:00" in first
    assert "dry run" in second
    assert f" {tried['windows']:,} " in second
    assert "queues sales, billing" in second
    assert "nothing differed" in third
    assert third.rstrip().endswith("everything")
    answer(stack.env(), "rebuild", "--undo", done["id"])
    assert "taken back" in ended(env, 0, "rebuild", "--list").stdout
    answer(stack.env(), "rebuild")


@EVERY_KIND
async def test_in_parts_and_taken_back(live: Stack) -> None:
    stack = live
    await stored(stack)
    right = windows(stack)
    broken = insert_wrong(stack, 77)
    wrong = windows(stack)
    queue = min(key[2] for key in broken if key[2])
    part = answer(stack.env(), "rebuild", "--queue", queue)
    assert {change["dimensions"]["queue"] for change in part["changes"]} == {queue}
    differing = {key for key in right.keys() | wrong.keys() if right.get(key) != wrong.get(key)}
    left = {key for key in differing if windows(stack).get(key) != right.get(key)}
    assert left == {key for key in differing if key[2] != queue}
    answer(stack.env(), "rebuild", "--undo", part["id"])
    assert windows(stack) == wrong
    answer(stack.env(), "rebuild", "--from", "2000-01-01", "--to", "2190-01-01")
    assert windows(stack) == right
    # A fact of no event is in no time: only a rebuild of everything takes it away.
    assert stack.value("SELECT count() FROM contacts FINAL WHERE contact_id LIKE 'nobody%'") == 1
    assert not stack.rows("SELECT name FROM system.tables WHERE name LIKE 'oracle_%'")


async def test_killed_at_any_moment(live: Stack) -> None:
    stack, rng, states = live, random.Random(5 + SEED), []
    for number in range(SEED, SEED + KILLS):
        await stored(stack)
        right = windows(stack)
        insert_wrong(stack, 500 + number)
        wrong = windows(stack)
        after_s = rng.uniform(1, LONGEST_S)
        killed(stack, after_s)
        state = stack.rows("SELECT state FROM rebuilds FINAL ORDER BY at DESC LIMIT 1")
        found = windows(stack)
        # Facts go first, windows together: all as it was, or all as it should be.
        assert found in (wrong, right)
        states.append((round(after_s, 1), state[0][0] if state else "", found == right))
        answer(stack.env(), "rebuild")
        assert windows(stack) == right
        verified(stack.env())
        print("killed", *states[-1], flush=True)
