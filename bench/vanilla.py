"""Ordinary Faust with the worker's logic: one event per message, tables set by key, Faust's own changelogs.

All KPIs: contacts are folded, and what they are to their customers and agents goes through two topics to
two more agents, as in the worker. Decoding, event sets, fold, tallies, customers and agents are its very
functions. It leaves out what Faust gives no simple way to: waiting for acknowledgements, markers, and the
output topics - so it has less to do.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import faust

from bench.counted import latest, named, summed, verdict
from bench.events import Windows
from bench.group import Member, consume
from bench.judge import judge
from bench.meter import Outcome
from bench.stack import PARTITIONS, Stack
from kpis.rules import DEFAULT_RULES
from kpis.tallies.moves import add_to, change
from kpis.tallies.windows import ZERO
from schemas.events import AgentStateChanged, SourceHeartbeat
from schemas.topics import AGENT_ACTIVITY, CONTACT_EVENTS, CUSTOMER_CONTACTS, PASSED_ON_TOPICS
from streams.health import ready_file
from streams.health.library_logs import quieten_libraries
from streams.kafka.decoding import decode_single_object
from streams.kafka.record import Record
from streams.stages.agents.stage import Agents
from streams.stages.contacts.event_set import CanonicalEvent, merge, pack, unpack
from streams.stages.contacts.folded_cache import folded
from streams.stages.customers.stage import Customers
from streams.stages.documents import row_version, tally_bytes, tally_of, window_key, window_of
from streams.stages.forwards import forward_changes, update_records
from streams.stages.stage import Output, Stage
from streams.state.memory import in_memory
from streams.state.table import Table

APP = "bench-vanilla"
TABLES = ("contacts", "windows", "customers", "fcr", "agents", "quarters")
PASSED_ON = tuple(f"{APP}-{name}" for name in PASSED_ON_TOPICS)
VANILLA = Member("vanilla", ("bench.vanilla",), APP, (CONTACT_EVENTS,), PASSED_ON)


def build(servers: str, folder: Path) -> faust.App:
    """The app, with the settings that suit it best."""
    app = faust.App(
        APP,
        broker=f"kafka://{servers}",
        store="memory://",
        datadir=str(folder / APP),
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        topic_disable_leader=True,
        web_enabled=False,
        producer_linger=0.02,
        consumer_auto_offset_reset="earliest",
        table_standby_replicas=0,
    )
    contacts, windows, customers, fcr, agents, quarters = (table(app, name) for name in TABLES)
    passed_on = {
        name: app.topic(f"{APP}-{name}", schema=raw(), partitions=PARTITIONS, internal=True)
        for name in PASSED_ON_TOPICS
    }
    quarters.on_recover(ready)

    @app.agent(app.topic(CONTACT_EVENTS, schema=raw()))  # type: ignore[untyped-decorator]
    async def fold_contacts(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            for name, partition, (key, value) in apply(event.value, message, contacts, windows):
                passed_on[name].send_soon(key=key, value=value, partition=partition)

    judges = Customers(Table(in_memory(), ""), Table(in_memory(), ""), DEFAULT_RULES)
    add_stage(app, passed_on[CUSTOMER_CONTACTS], judges, customers, fcr)
    sessions = Agents(Table(in_memory(), ""), Table(in_memory(), ""), DEFAULT_RULES)
    add_stage(app, passed_on[AGENT_ACTIVITY], sessions, agents, quarters)
    return app


def table(app: faust.App, name: str) -> Any:
    """A table of bytes, with Faust's changelog."""
    return app.Table(name, partitions=PARTITIONS, schema=raw(), key_type=bytes, value_type=bytes)


def add_stage(app: faust.App, topic: Any, stage: Stage, state: Any, totals: Any) -> None:
    """An agent that gives a stage one record after the other; what it keeps is in Faust's tables as well."""

    @app.agent(topic, name=topic.get_topic_name())  # type: ignore[untyped-decorator]
    async def agent(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            record = Record(message.offset, event.key, event.value)
            work = judge(stage, message.partition, record)
            for key, value in work.states:
                state[key] = value
            for key, value in work.totals.items():
                totals[key] = value


def raw() -> faust.Schema:
    """Bytes as they are. One for each use: Faust writes into it."""
    return faust.Schema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


async def ready() -> None:
    """The tables have recovered."""
    ready_file.mark(True)


def apply(value: bytes, message: Any, contacts: Any, windows: Any) -> Iterator[Output]:
    """What streams.stages.contacts does to a batch, for one event; what customers and agents get of it."""
    event, canonical = decode_single_object(value)
    assert not isinstance(event, AgentStateChanged | SourceHeartbeat)
    key = event.contact_id.encode()
    known = unpack(contacts.get(key))
    merged, duplicates = merge(known, [CanonicalEvent(event, canonical)])
    if duplicates:
        return
    contacts[key] = pack(merged)
    before, after = folded(known, DEFAULT_RULES), folded(merged, DEFAULT_RULES)
    for window, step in change(before.adds, after.adds).items():
        name = window_key(window, message.partition)
        total = windows.get(name)
        row = list(tally_of(total) if total else ZERO)
        add_to(row, step)
        windows[name] = tally_bytes(row)
    old, new = before.forwards, after.forwards
    visits, sessions = forward_changes(old.visits, new.visits), forward_changes(old.sessions, new.sessions)
    yield from update_records(event.contact_id, visits, sessions, row_version(0, message.offset), PARTITIONS)


async def measure(stack: Stack, truth: Windows) -> Outcome:
    """Consume contact-events from the beginning; the windows are counted from its changelog."""
    outcome = await consume(stack, VANILLA)
    values = await latest(stack.servers, f"{APP}-windows-changelog", PARTITIONS)
    counted = summed((window_of(key)[0], named(tally_of(value))) for key, value in values.items())
    return replace(outcome, counted=verdict(counted, truth))


if __name__ == "__main__":
    quieten_libraries()
    app = build(os.environ["KAFKA_BOOTSTRAP_SERVERS"], Path(os.environ["RINGBACK_DATA_DIR"]))
    faust.Worker(app, loglevel="WARN", redirect_stdouts=False, quiet=True).execute_from_commandline()
