"""Worker and sink are scraped on the real stack: while events flow, at the end, and without ClickHouse."""

import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.numbers import json_lines, stored
from support.stack import Stack, background, run_ringback, wait_until

from cli.port_offsets import PORT_OFFSETS, SINK_PORT_OFFSET
from deploy.local.ports import free_port
from schemas.codec import encode
from schemas.events import AgentStateChanged, Event, SourceHeartbeat
from schemas.topics import CONTACT_EVENTS
from simulator.deliveries import deliver
from simulator.simulation import Simulation
from streams.stages.contacts.event_set import CanonicalEvent

CONTACTS = 1_500


class Scraped:
    """What a process answers."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def sum(self, name: str, **labels: str) -> float:
        """Sum of a metric over everything that has these labels."""
        status, text = self.get("/metrics")
        assert status == 200
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == f"ringback_{name}" and labels.items() <= sample.labels.items()
        )


@pytest.fixture
def events() -> list[Event]:
    simulation = Simulation(11, contacts=CONTACTS)
    return [delivery.event for delivery in deliver(simulation.everything(), seed=11)]


@pytest.fixture
def file(events: list[Event], tmp_path: Path) -> str:
    path = tmp_path / "events.jsonl"
    path.write_bytes(json_lines(events))
    return str(path)


def expected(events: list[Event]) -> tuple[int, int, int]:
    """Contact events that an import sends (each once, to the last byte), that apply, that correct."""
    distinct = {encode(event): event for event in events}
    applied, known = 0, {}
    of_contacts = [
        CanonicalEvent(event, canonical)
        for canonical, event in distinct.items()
        if not isinstance(event, AgentStateChanged | SourceHeartbeat)
    ]
    for item in of_contacts:
        key = item.event.contact_id, item.event.event_id
        if key not in known or known[key].strength < item.strength:
            known[key] = item
            applied += 1
    return len(of_contacts), applied, applied - len(known)


def sent(stack: Stack, file: str) -> None:
    done = run_ringback(stack.env(), "import", "events", file, "--no-wait")
    assert done.returncode == 0, done.stderr


def counted(worker: Scraped) -> int:
    names = ("events_applied_total", "duplicates_ignored_total", "dead_letters_total")
    return int(sum(worker.sum(name, topic=CONTACT_EVENTS) for name in names))


async def test_what_is_counted_is_what_was_sent(fresh_stack: Stack, events: list[Event], file: str) -> None:
    stack, base = fresh_stack, free_port(*PORT_OFFSETS)
    env = stack.env(RINGBACK_METRICS_PORT=str(base))
    worker, sink = Scraped(base), Scraped(base + SINK_PORT_OFFSET)
    number, applied, corrections = expected(events)
    with background(env, "worker") as working, background(env, "sink") as sinking:
        wait_until(lambda: worker.get("/ready")[0] == sink.get("/ready")[0] == 200, "not ready")
        assert worker.get("/health")[0] == sink.get("/health")[0] == 200
        sent(stack, file)
        await stored(stack)
        assert worker.sum("events_applied_total", topic=CONTACT_EVENTS) == applied < number
        assert worker.sum("corrections_total") == corrections > 0
        # On a slow machine some may be delivered twice; that changes nothing, and is counted as such.
        assert counted(worker) == worker.sum("batch_records_sum", topic=CONTACT_EVENTS) >= number
        assert worker.sum("commits_total") > 0
        assert sink.sum("inserted_rows_total", table="events") == number
        wait_until(lambda: worker.sum("lag_events") == sink.sum("lag_events") == 0, "still lag", 10)
        assert worker.sum("lag_seconds") == sink.sum("stuck") == 0
        assert worker.sum("state_records", table="contacts") > CONTACTS / 2
        without_clickhouse(stack, sink, file)
        said = working.log() + sinking.log()
    for line in ("worker starting", "worker recovering", "worker ready", "sink starting", "sink ready"):
        assert said.count(f'event="{line}"') == 1, said
    assert said.count('event="partitions assigned"') == 2
    assert "Traceback" not in working.log() + sinking.log()
    for process in (working, sinking):
        assert f"{process.name.partition('-')[0]} stopping" in process.log()


def without_clickhouse(stack: Stack, sink: Scraped, file: str) -> None:
    """The sink's lag grows in events and in seconds while ClickHouse is away, and goes when it is back."""
    if stack.clickhouse is None:
        return
    stack.clickhouse.stop()
    sent(stack, file)
    wait_until(lambda: sink.sum("lag_events") > 0, "no lag", 15)
    before = sink.sum("lag_seconds", topic=CONTACT_EVENTS)
    time.sleep(4)
    assert sink.sum("lag_seconds", topic=CONTACT_EVENTS) > before
    assert sink.get("/health")[0] == 200
    stack.clickhouse.start()
    wait_until(lambda: sink.sum("lag_events") == 0, "lag stays", 60)


@pytest.mark.slow
async def test_a_sink_that_is_stuck_says_so_and_when_it_is_over(fresh_stack: Stack, file: str) -> None:
    stack, base = fresh_stack, free_port(*PORT_OFFSETS)
    if stack.clickhouse is None:
        pytest.skip("its ClickHouse is not ours to stop")
    sink = Scraped(base + SINK_PORT_OFFSET)
    with background(stack.env(RINGBACK_METRICS_PORT=str(base)), "sink") as sinking:
        stack.clickhouse.stop()
        sent(stack, file)
        wait_until(lambda: sink.sum("stuck") > 0, "not stuck", 60)
        stack.clickhouse.start()
        wait_until(lambda: sink.sum("stuck") == sink.sum("lag_events") == 0, "still stuck", 60)
        assert sinking.log().count("stuck: nothing done while there is lag") == 1
        assert "no longer stuck" in sinking.log()
