"""`ringback verify --every` beside a live stream: what is under way is no difference, what is wrong is."""

import re
import time
import urllib.request
from datetime import timedelta

import pytest
from support.numbers import ended
from support.stack import Running, Stack, background, wait_until

from cli.port_offsets import SINK_PORT_OFFSET, VERIFY_PORT_OFFSET
from kpis.tallies.windows import MEASURES

pytestmark = pytest.mark.stack
LIMIT_S = 240


def metrics(port: str) -> dict[str, float]:
    """What `verify` shows."""
    address = f"http://127.0.0.1:{int(port) + VERIFY_PORT_OFFSET}/metrics"
    with urllib.request.urlopen(address, timeout=5) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^ringback_verify_(\w+) (\S+)$", text, re.M)}


def wait_for_comparison(port: str, after: float) -> dict[str, float]:
    """The metrics of a comparison that ended after a moment."""
    wait_until(lambda: metrics(port)["compared_timestamp_seconds"] > after, "nothing compared", LIMIT_S)
    return metrics(port)


def corrupt(stack: Stack) -> tuple[str, str]:
    """One window and one fact in it are wrong from now on; the minute and the contact."""
    contact, queue, channel, at = stack.rows(
        "SELECT contact_id, queue, channel, entered_at FROM legs FINAL "
        "WHERE offered = 1 AND is_deleted = 0 LIMIT 1"
    )[0]
    start = at - timedelta(seconds=at.second, microseconds=at.microsecond)
    where = {"start": start, "channel": channel, "queue": queue}
    columns = ", ".join(("window_start", "channel", "queue", "partition", *MEASURES, "version"))
    others = ", ".join("answered + 7 AS answered" if name == "answered" else name for name in MEASURES)
    with stack.client() as client:
        client.command(
            f"INSERT INTO kpi_windows ({columns}) "
            f"SELECT window_start, channel, queue, partition, {others}, version + 1 FROM kpi_windows FINAL "
            "WHERE window_start = {start:DateTime64(3, 'UTC')} AND channel = {channel:String} "
            "AND queue = {queue:String} LIMIT 1",
            parameters=where,
        )
        client.command(
            "INSERT INTO contacts SELECT * REPLACE (legs + 1 AS legs, version + 1 AS version) "
            "FROM contacts FINAL WHERE contact_id = {contact:String}",
            parameters={"contact": contact},
        )
    return start.strftime("%Y-%m-%dT%H:%M"), contact


async def test_live_and_then_a_wrong_number(fresh_stack: Stack) -> None:
    stack, env = fresh_stack, fresh_stack.env()
    port = env["RINGBACK_METRICS_PORT"]
    assert VERIFY_PORT_OFFSET > SINK_PORT_OFFSET
    with background(stack.env(), "worker"), background(stack.env(), "sink"):
        ended(stack.env(), 0, "simulate", "--contacts", "40", "--seed", "5")
        running = Running(env, "verify", "--last", "200w", "--every", "1s")
        try:
            running.wait_ready()
            first = wait_for_comparison(port, 0)
            assert (first["differences"], first["failed"]) == (0, 0)
            assert first["windows"] > 40
            ended(stack.env(), 0, "simulate", "--contacts", "60", "--seed", "6", "--no-wait")
            for _ in range(2):
                assert wait_for_comparison(port, time.time())["differences"] == 0, running.log()
            minute, contact = corrupt(stack)
            wait_until(lambda: metrics(port)["differences"] > 0, "the fault is not found", LIMIT_S)
            assert metrics(port)["differences"] == 2
        finally:
            running.process.stop()
    assert running.process.returncode == 1, running.log()
    assert re.search(rf"{minute}.* answered: stream \d+, oracle \d+ \(contacts .*{contact}", running.log())
    assert "Traceback" not in running.log()
    once = ended(stack.env(), 2, "verify", "--last", "soon")
    assert "such as 1h or 7d" in once.stderr
