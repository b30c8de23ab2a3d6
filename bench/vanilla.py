"""Ordinary Faust with the worker's logic: one event per message, tables set by key, Faust's own changelogs.

Decoding, event sets, fold and tallies are the very functions of the worker. It leaves out what Faust gives no
simple way to: waiting for acknowledgements, markers, and the two output topics - so it has less to do.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import faust

from bench.counted import latest, named, summed, verdict
from bench.events import Windows
from bench.group import Member, consume
from bench.meter import Outcome
from bench.stack import PARTITIONS, Stack
from kpis.rules import DEFAULT_RULES
from kpis.tally import ZERO, add, change, contribution
from schemas.events import AgentStateChanged, SourceHeartbeat
from streams import readiness
from streams.decoding import decode_single_object
from streams.documents import tally_bytes, tally_of, window_key, window_of
from streams.folded import facts_of
from streams.logs import quieten_libraries
from streams.state import Known, merge, pack, unpack
from streams.topics import CONTACT_EVENTS

APP = "bench-vanilla"
VANILLA = Member("vanilla", ("bench.vanilla",), APP, (CONTACT_EVENTS,))


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
    contacts = app.Table("contacts", partitions=PARTITIONS, schema=raw(), key_type=bytes, value_type=bytes)
    windows = app.Table("windows", partitions=PARTITIONS, schema=raw(), key_type=bytes, value_type=bytes)
    events = app.topic(CONTACT_EVENTS, schema=raw(), key_type=bytes, value_type=bytes)
    windows.on_recover(ready)

    @app.agent(events)  # type: ignore[untyped-decorator]
    async def fold_contacts(stream: Any) -> None:
        async for event in stream.events():
            apply(event.value, event.message.partition, contacts, windows)

    return app


def raw() -> faust.Schema:
    """Bytes as they are. One for each use: Faust writes into it."""
    return faust.Schema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


async def ready() -> None:
    """The tables have recovered."""
    readiness.mark(True)


def apply(value: bytes, partition: int, contacts: Any, windows: Any) -> None:
    """What streams.apply does to a batch, for one event."""
    event, canonical = decode_single_object(value)
    assert not isinstance(event, AgentStateChanged | SourceHeartbeat)
    key = event.contact_id.encode()
    known = unpack(contacts.get(key))
    merged, duplicates = merge(known, [Known(event, canonical)])
    if duplicates:
        return
    contacts[key] = pack(merged)
    before, after = facts_of(known, DEFAULT_RULES), facts_of(merged, DEFAULT_RULES)
    moves = change(contribution(before, DEFAULT_RULES), contribution(after, DEFAULT_RULES))
    for window, moved in moves.items():
        name = window_key(window, partition)
        old = windows.get(name)
        windows[name] = tally_bytes(add(tally_of(old) if old else ZERO, moved))


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
