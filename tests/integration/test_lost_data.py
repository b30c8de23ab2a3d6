"""A Kafka or ClickHouse that lost data, or is another one: noticed at the start, and right again or refused.

The corruption table of an attack: before, every row of it gave wrong numbers without a word.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from support.every_kind import EVERY_KIND
from support.numbers import ended, json_lines, stored, verified
from support.stack import Stack, background, run_ringback
from test_bad_input import calls

from schemas.events import ContactEvent, ContactWrapped
from schemas.topics import CONTACT_EVENTS

pytestmark = pytest.mark.stack

LOG = "00000000000000000000.log"
SAID = "Kafka has lost data"


def files(stack: Stack, topic: str) -> list[Path]:
    """The logs of a topic's partitions."""
    found = sorted((stack.data_dir / "kafka" / "data").glob(f"{topic}-[0-9]/{LOG}"))
    assert len(found) == 4
    return found


def shorten(topic: str, keep: float) -> Callable[[Stack], None]:
    def damage(stack: Stack) -> None:
        for path in files(stack, topic):
            os.truncate(path, int(path.stat().st_size * keep))

    return damage


def flip(topic: str, at: float) -> Callable[[Stack], None]:
    def damage(stack: Stack) -> None:
        for path in files(stack, topic):
            data = bytearray(path.read_bytes())
            if data:
                data[int(len(data) * at)] ^= 0xFF
            path.write_bytes(data)

    return damage


def remove(topic: str) -> Callable[[Stack], None]:
    def damage(stack: Stack) -> None:
        for path in files(stack, topic):
            shutil.rmtree(path.parent)

    return damage


def both(*damages: Callable[[Stack], None]) -> Callable[[Stack], None]:
    def damage(stack: Stack) -> None:
        for one in damages:
            one(stack)

    return damage


def send(stack: Stack, name: str, events: list[ContactEvent]) -> None:
    path = stack.data_dir / f"{name}.jsonl"
    path.write_bytes(json_lines(events))
    ended(stack.env(), 0, "import", "events", str(path))


def late(events: list[ContactEvent]) -> list[ContactEvent]:
    """One event more of each contact."""
    last = {event.contact_id: event.occurred_at for event in events}
    return [
        ContactWrapped(event_id=f"late-{name}", contact_id=name, occurred_at=at + 1_000, source="x")
        for name, at in last.items()
    ]


CONTACTS, WINDOWS = "ringback-contacts-changelog", "ringback-windows-changelog"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(shorten("contact-events", 0.6), True, id="contact-events shorter", marks=EVERY_KIND),
        pytest.param(flip("contact-events", 0.5), True, id="contact-events flipped", marks=EVERY_KIND),
        pytest.param(flip(CONTACTS, 0.2), True, id="contacts flipped", marks=EVERY_KIND),
        pytest.param(shorten(CONTACTS, 0.5), True, id="contacts shorter", marks=EVERY_KIND),
        pytest.param(remove(CONTACTS), True, id="contacts removed"),
        pytest.param(both(remove(CONTACTS), remove(WINDOWS)), True, id="both removed", marks=EVERY_KIND),
        pytest.param(shorten(WINDOWS, 0.5), False, id="windows shorter", marks=EVERY_KIND),
        pytest.param(remove("ringback-customers-changelog"), False, id="customers removed", marks=EVERY_KIND),
    ],
)
async def test_logs_that_lost_something(
    fresh_stack: Stack, damage: Callable[[Stack], None], said: bool
) -> None:
    stack = fresh_stack
    if stack.kafka is None:
        pytest.skip("needs the files of the local Kafka")
    first, then = calls("first", 60), calls("then", 30)
    with background(stack.env(), "worker"), background(stack.env(), "sink"):
        send(stack, "first-half", first[: len(first) // 2])
        send(stack, "first", first)
        verified(stack.env())
    stack.kafka.stop()
    damage(stack)
    (stack.data_dir / "kafka" / "data" / ".kafka_cleanshutdown").unlink(missing_ok=True)
    stack.kafka.start()
    with background(stack.env(), "worker") as worker, background(stack.env(), "sink"):
        await stored(stack)
        verified(stack.env())
        send(stack, "late", late(first))
        verified(stack.env())
        send(stack, "then", then)
        report = verified(stack.env())
        assert report["facts"]["contacts"] == 90
        assert not said or SAID in worker.log()
        assert "Traceback" not in worker.log()


async def test_topics_that_were_made_anew_are_another_kafka(fresh_stack: Stack) -> None:
    """As of a cluster without its metadata, which keeps its id and loses all topics without a word.

    Before: verify found 961 differences after one late event of each contact.
    """
    stack = fresh_stack
    with background(stack.env(), "worker"), background(stack.env(), "sink"):
        send(stack, "calls", calls("a", 30))
        verified(stack.env())
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    await admin.delete_topics([CONTACT_EVENTS])
    await admin.close()
    refused = run_ringback(stack.env(), "sink")  # makes the topic that is missing
    assert refused.returncode == 3
    assert "topics of events were made anew" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "topics of events were made anew" in ended(stack.env(), 3, "verify").stderr


async def test_an_emptied_clickhouse_is_filled_again_and_another_kafka_is_refused(fresh_stack: Stack) -> None:
    stack = fresh_stack
    with background(stack.env(), "worker"):
        with background(stack.env(), "sink"):
            send(stack, "calls", calls("a", 30))
            report = verified(stack.env())
        with stack.client() as client:
            for (table,) in stack.rows("SELECT name FROM system.tables WHERE database = 'ringback'"):
                client.command(f"DROP TABLE IF EXISTS `{table}`")
        assert "start a sink" in ended(stack.env(), 3, "verify").stderr
        with background(stack.env(), "sink") as sink:
            await stored(stack)
            assert verified(stack.env()) == report
            assert "ClickHouse is empty" in sink.log()
        # Nothing in the tables, and all of them there: not green either.
        with stack.client() as client:
            for table in ("events", "agent_events", "dead_letters"):
                client.command(f"TRUNCATE TABLE {table}")
        assert "nothing to compare" in ended(stack.env(), 3, "verify").stderr
        with stack.client() as client:
            client.command("TRUNCATE TABLE kafka_clusters")
            client.insert("kafka_clusters", [["another"]], column_names=["cluster_id"])
        assert "come from Kafka cluster another" in ended(stack.env(), 3, "verify").stderr
        refused = run_ringback(stack.env(), "sink")
        assert refused.returncode == 3
        assert "come from Kafka cluster another" in refused.stderr
        assert "Traceback" not in refused.stderr
