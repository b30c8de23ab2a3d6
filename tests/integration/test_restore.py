"""The folder of ClickHouse or of Kafka is gone: one command, and the numbers are what they were.

RINGBACK_DIGEST_CONTACTS=60000 is a month of the simulated centre, RINGBACK_DIGEST_CALLS=FILE a call
log of the bank.
"""

import os
import shutil
from pathlib import Path

import pytest
from support.numbers import answer, digests, ended, stored, verified, windows
from support.stack import Stack, background

from maintenance.restore import DERIVED

pytestmark = pytest.mark.stack
CONTACTS = os.environ.get("RINGBACK_DIGEST_CONTACTS", "120")
CALLS = os.environ.get("RINGBACK_DIGEST_CALLS")
EVENTS = ("import", "bank", CALLS) if CALLS else ("simulate", "--contacts", CONTACTS, "--seed", "3")


def fill(stack: Stack) -> None:
    with background(stack.env(), "worker"), background(stack.env(), "sink"):
        ended(stack.env(), 0, *EVENTS, limit_s=500)


async def test_a_lost_clickhouse_is_filled_by_one_command(fresh_stack: Stack, tmp_path: Path) -> None:
    stack = fresh_stack
    if stack.clickhouse is None:
        pytest.skip("needs the folder of the local ClickHouse")
    fill(stack)
    numbers, report = windows(stack), verified(stack.env())
    answer(stack.env(), "export", "clickhouse", str(tmp_path / "history"))
    files = sorted(map(str, (tmp_path / "history").glob("*.avro")))
    stack.clickhouse.stop()
    shutil.rmtree(stack.data_dir / "clickhouse")
    stack.clickhouse.start()
    done = ended(stack.env(), 0, "restore", "clickhouse")
    assert "0 differences" in done.stdout
    assert (windows(stack), verified(stack.env())) == (numbers, report)
    # Rows that are missing although it is not empty; of raw events, from files.
    with stack.client() as client:
        client.command("TRUNCATE TABLE kpi_windows")
        client.command("TRUNCATE TABLE events")
    assert "0 differences" in ended(stack.env(), 0, "restore", "clickhouse", *files).stdout
    assert (windows(stack), verified(stack.env())) == (numbers, report)
    with background(stack.env(), "sink"):
        assert "stop all sinks" in ended(stack.env(), 2, "restore", "clickhouse").stderr


async def test_a_lost_kafka_is_filled_by_one_command_and_live_replay_and_sql_are_one(
    fresh_stack: Stack,
) -> None:
    """Late, doubled and corrected events: live, replayed into empty tables, made by SQL in empty ones."""
    stack = fresh_stack
    if stack.kafka is None:
        pytest.skip("needs the folder of the local Kafka")
    fill(stack)
    numbers, report, live = windows(stack), verified(stack.env()), digests(stack)
    assert {table for table, _ in live} == {"kpi_windows", "fcr_windows", "agent_quarters"}
    assert "was not lost" in ended(stack.env(), 2, "restore", "kafka").stderr
    stack.kafka.stop()
    shutil.rmtree(stack.data_dir / "kafka")
    stack.kafka.start()
    refused = ended(stack.env(), 3, "sink").stderr
    assert "ringback restore kafka" in refused
    done = ended(stack.env(), 0, "restore", "kafka")
    assert "sent" in done.stdout
    with background(stack.env(), "worker"), background(stack.env(), "sink"):
        await stored(stack)
        assert (windows(stack), verified(stack.env())) == (numbers, report)
        assert digests(stack) == live
        with stack.client() as client:
            for table in DERIVED:
                client.command(f"TRUNCATE TABLE {table}")
        assert not digests(stack)
        ended(stack.env(), 0, "rebuild", limit_s=500)
        assert digests(stack) == live
        # And it goes on: new events are counted beside those of before.
        ended(stack.env(), 0, "simulate", "--contacts", "30", "--seed", "8")
        assert verified(stack.env())["facts"]["contacts"] > report["facts"]["contacts"]
