"""Quix Streams with the worker's logic, as its documentation teaches to write it: state by key, `group_by`.

Quix keeps state by message key, so there are two steps. The first, keyed by contact, keeps the contact's set
of events in its state, folds it before and after the event and sends on how far each KPI window moves.
`group_by` sends that through a repartition topic in Kafka to the second, keyed by window, which adds it to
its total in its state. Both states are RocksDB stores with changelog topics. Quix's own windows do not fit:
they go by the time of the event and close, while here a late event moves windows of any age.

Decoding, event sets, fold and tallies are the very functions of the worker; facts, windows topic, customers
and agents are left out, as in `bench.vanilla`. By default Quix processes at least once: after a crash windows
are moved twice. `exactly-once` uses Kafka's transactions. A checkpoint is made every second (the default is
five), so that waiting for the last one does not decide the wall rate; lz4, linger 20 ms as for vanilla Faust.
"""

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from bench.counted import latest, named, summed, verdict
from bench.events import Windows
from bench.group import Member, consume
from bench.meter import Outcome, not_measured
from bench.stack import PARTITIONS, Stack
from kpis.rules import DEFAULT_RULES
from kpis.tally import change, contribution
from schemas.events import AgentStateChanged, SourceHeartbeat
from streams import readiness
from streams.decoding import decode_single_object
from streams.documents import window_key, window_of
from streams.folded import facts_of
from streams.logs import quieten_libraries
from streams.state import Known, merge, pack, unpack
from streams.topics import CONTACT_EVENTS

MISSING = "not installed: see bench/README.md"
AT_LEAST_ONCE, EXACTLY_ONCE = "at-least-once", "exactly-once"
STEPS, SET, TOTAL = "window", "set", "total"  # the column grouped by, and the two keys of state
COMMIT_S = 1.0


def group_of(guarantee: str) -> str:
    """Consumer group; internal topics are named after it."""
    return f"bench-quix-{guarantee}"


def repartition_topic(guarantee: str) -> str:
    """What `group_by` sends through Kafka."""
    return f"repartition__{group_of(guarantee)}--{CONTACT_EVENTS}--{STEPS}"


def changelog_topic(guarantee: str) -> str:
    """Changelog of the totals."""
    return f"changelog__{group_of(guarantee)}--repartition.{CONTACT_EVENTS}.{STEPS}--default"


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
    totals = steps.group_by(STEPS, key_serializer="str", key_deserializer="str")
    totals.update(move_window, stateful=True)
    return app


@cache
def ready() -> None:
    """The first event is processed: the state is recovered. Measured from here on."""
    readiness.mark(True)


def fold_contact(value: bytes, state: Any) -> Iterable[dict[str, Any]]:
    """One event into its contact's set; how far windows move."""
    event, canonical = decode_single_object(value)
    assert not isinstance(event, AgentStateChanged | SourceHeartbeat)
    known = unpack(state.get_bytes(SET))
    merged, duplicates = merge(known, [Known(event, canonical)])
    if duplicates:
        return []
    state.set_bytes(SET, pack(merged))
    before, after = facts_of(known, DEFAULT_RULES), facts_of(merged, DEFAULT_RULES)
    moves = change(contribution(before, DEFAULT_RULES), contribution(after, DEFAULT_RULES))
    return [{STEPS: window_key(window, 0).decode(), "by": named(step)} for window, step in moves.items()]


def move_window(step: dict[str, Any], state: Any) -> None:
    """A window's total moved."""
    total: dict[str, int] = state.get(TOTAL, {})
    for name, amount in step["by"].items():
        total[name] = total.get(name, 0) + amount
    state.set(TOTAL, total)


def member(guarantee: str) -> Member:
    """The process. A transaction leaves a marker behind its last record, which nobody commits."""
    return Member(
        group_of(guarantee),
        ("bench.quix", guarantee),
        group_of(guarantee),
        (CONTACT_EVENTS,),
        (repartition_topic(guarantee),),
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
