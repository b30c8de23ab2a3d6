"""Quix Streams with the worker's logic, as its documentation teaches to write it: state by key, `group_by`.

Quix keeps state by message key, so there are four steps. The first, keyed by contact, keeps the contact's set
of events in its state, folds it before and after the event and sends on how far each KPI window moves, and
what the contact is to its customer and its agents. `group_by` sends these through repartition topics in Kafka
to the others, keyed by window, customer and agent, which keep totals, visits and sessions in their states.
All are RocksDB stores with changelog topics. Quix's own windows do not fit: they go by the time of the event
and close, while here a late event moves windows of any age.

Decoding, event sets, fold, tallies, customers and agents are the very functions of the worker; outputs are
left out, as in `bench.vanilla`. By default Quix processes at least once: after a crash windows
are moved twice. `exactly-once` uses Kafka's transactions. A checkpoint is made every second (the default is
five), so that waiting for the last one does not decide the wall rate; lz4, linger 20 ms as for vanilla Faust.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from bench.counted import latest, summed, verdict
from bench.events import Windows
from bench.group import Member, consume
from bench.judge import judge
from bench.meter import Outcome, not_measured
from bench.stack import PARTITIONS, Stack
from kpis.rules import DEFAULT_RULES
from kpis.tallies.moves import change
from schemas.events import AgentStateChanged, SourceHeartbeat
from schemas.topics import AGENT_ACTIVITY, CONTACT_EVENTS, CUSTOMER_CONTACTS
from streams.health import ready_file
from streams.health.library_logs import quieten_libraries
from streams.kafka.decoding import decode_single_object
from streams.kafka.record import Record
from streams.stages.agents.stage import Agents
from streams.stages.contacts.event_set import CanonicalEvent, merge, pack, unpack
from streams.stages.contacts.folded_cache import folded
from streams.stages.customers.stage import Customers
from streams.stages.documents import row_version, window_key, window_of
from streams.stages.forwards import Forwards, forward_changes, update_records
from streams.stages.stage import Stage
from streams.state.memory import in_memory
from streams.state.table import Table

MISSING = "not installed: see bench/README.md"
AT_LEAST_ONCE, EXACTLY_ONCE = "at-least-once", "exactly-once"
WINDOW, CUSTOMER, AGENT = "window", "customer", "agent"  # the columns grouped by
COLUMN = {CUSTOMER_CONTACTS: CUSTOMER, AGENT_ACTIVITY: AGENT}
SET, TOTAL = "set", "total"  # keys of state
COMMIT_S = 1.0


def group_of(guarantee: str) -> str:
    """Consumer group; internal topics are named after it."""
    return f"bench-quix-{guarantee}"


def repartition_topic(guarantee: str, column: str) -> str:
    """What `group_by` sends through Kafka."""
    return f"repartition__{group_of(guarantee)}--{CONTACT_EVENTS}--{column}"


def changelog_topic(guarantee: str) -> str:
    """Changelog of the totals."""
    return f"changelog__{group_of(guarantee)}--repartition.{CONTACT_EVENTS}.{WINDOW}--default"


def build(servers: str, folder: Path, guarantee: str) -> Any:
    """The application, wired."""
    from quixstreams import Application

    app = Application(
        broker_address=servers,
        consumer_group=group_of(guarantee),
        auto_offset_reset="earliest",
        commit_interval=COMMIT_S,
        processing_guarantee=guarantee,
        state_dir=folder / group_of(guarantee),
        producer_extra_config={"compression.type": "lz4", "linger.ms": 20},
        on_message_processed=lambda *_: ready(),
        loglevel="WARNING",
    )
    events = app.topic(CONTACT_EVENTS, key_deserializer="bytes", value_deserializer="bytes")
    steps = app.dataframe(events).apply(fold_contact, stateful=True, expand=True)
    grouped(steps, WINDOW).update(move_window, stateful=True)
    customers = Customers(Table(in_memory(), ""), Table(in_memory(), ""), DEFAULT_RULES)
    grouped(steps, CUSTOMER).update(partial(keep, customers), stateful=True)
    agents = Agents(Table(in_memory(), ""), Table(in_memory(), ""), DEFAULT_RULES)
    grouped(steps, AGENT).update(partial(keep, agents), stateful=True)
    return app


def grouped(steps: Any, column: str) -> Any:
    """The steps that have a column, by its value."""
    return steps.filter(lambda step: column in step).group_by(
        column, key_serializer="str", key_deserializer="str"
    )


@cache
def ready() -> None:
    """The first event is processed: the state is recovered. Measured from here on."""
    ready_file.mark(True)


def fold_contact(value: bytes, state: Any) -> Iterable[dict[str, Any]]:
    """One event into its contact's set; how far windows move, and what customer and agents get of it."""
    event, canonical = decode_single_object(value)
    assert not isinstance(event, AgentStateChanged | SourceHeartbeat)
    known = unpack(state.get_bytes(SET))
    merged, duplicates = merge(known, [CanonicalEvent(event, canonical)])
    if duplicates:
        return []
    state.set_bytes(SET, pack(merged))
    before, after = folded(known, DEFAULT_RULES), folded(merged, DEFAULT_RULES)
    moves = change(before.adds, after.adds)
    windows = [{WINDOW: window_key(window, 0).decode(), "by": step} for window, step in moves.items()]
    return windows + list(forwarded(event.contact_id, before.forwards, after.forwards))


def forwarded(contact_id: str, before: Forwards, after: Forwards) -> Iterator[dict[str, str]]:
    """What customer and agents get of a contact, as the worker tells them."""
    from quixstreams import message_context

    version = row_version(0, message_context().offset)
    visits, sessions = (
        forward_changes(before.visits, after.visits),
        forward_changes(before.sessions, after.sessions),
    )
    for topic, _, (key, value) in update_records(contact_id, visits, sessions, version, PARTITIONS):
        owner = orjson.loads(key)[0]
        yield {COLUMN[topic]: owner, "key": key.decode(), "value": (value or b"").decode()}


def move_window(step: dict[str, Any], state: Any) -> None:
    """A window's total moved."""
    total: dict[str, int] = state.get(TOTAL, {})
    for name, amount in step["by"].items():
        total[name] = total.get(name, 0) + amount
    state.set(TOTAL, total)


def keep(stage: Stage, step: dict[str, Any], state: Any) -> None:
    """One of the worker's stages does its work for one record; what it keeps is in Quix's state as well."""
    work = judge(stage, 0, Record(0, step["key"].encode(), step["value"].encode()))
    for key, value in (*work.states, *work.totals.items()):
        state.set_bytes(key.decode(), value)


def member(guarantee: str) -> Member:
    """The process. A transaction leaves a marker behind its last record, which nobody commits."""
    return Member(
        group_of(guarantee),
        ("bench.quix", guarantee),
        group_of(guarantee),
        (CONTACT_EVENTS,),
        tuple(repartition_topic(guarantee, column) for column in (WINDOW, CUSTOMER, AGENT)),
        unread=int(guarantee == EXACTLY_ONCE),
    )


def window_in(key: bytes) -> tuple[int, str, str]:
    """Window of a changelog key: `<message key>|<key of state>`, both JSON."""
    return window_of(orjson.loads(key.rpartition(b"|")[0]).encode())[0]


async def measure(stack: Stack, truth: Windows, guarantee: str = AT_LEAST_ONCE) -> Outcome:
    """Consume contact-events from the beginning; the windows are counted from the changelog of totals."""
    if find_spec("quixstreams") is None:
        return not_measured(MISSING)
    outcome = await consume(stack, member(guarantee))
    values = await latest(stack.servers, changelog_topic(guarantee), PARTITIONS)
    counted = summed((window_in(key), orjson.loads(value)) for key, value in values.items())
    return replace(outcome, counted=verdict(counted, truth))


if __name__ == "__main__":
    quieten_libraries()
    settings = os.environ["KAFKA_BOOTSTRAP_SERVERS"], Path(os.environ["RINGBACK_DATA_DIR"])
    build(*settings, sys.argv[1]).run()
