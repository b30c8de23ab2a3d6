"""A Kafka or a ClickHouse that was lost, filled again from the other one or from exported files."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, cast

from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client

from maintenance.history import History
from maintenance.raw_load import load_topic
from schemas.codec import decode, encode
from schemas.events import AgentStateChanged, ContactEvent, SourceHeartbeat
from schemas.forgotten import Ledger
from schemas.topics import FORGOTTEN, SINK_GROUP, SINK_TOPICS
from sinks.binding import bind, fits, known_clusters, put_back, read_all_again
from sinks.forgotten import kept_ledger, ledger_documents
from sinks.loop import belongs_together, run_sink
from sinks.rows import FACT_TABLES, agent_event_row, event_row
from sinks.writer import ClickHouseSink
from streams.config import StreamConfig
from streams.health.group_lag import OffsetReader, wait_for
from streams.health.health import Health
from streams.kafka.decoding import Wire
from streams.kafka.forgotten import ledger_records, stored_ledger
from streams.kafka.writer import BatchWriter

# What the stream makes of events. Its versions come from offsets of the Kafka that was lost, and would win
# against those of the new one; so they are emptied, and the worker makes them anew.
DERIVED = (*FACT_TABLES, "kpi_windows", "fcr_windows")
STILL_S = 60.0


class NothingLost(ValueError):
    """There is nothing to be filled again."""


class SinkAtWork(RuntimeError):
    """A sink reads under the group whose position is to be set back."""


def lost_kafka(client: Client, kafka: str) -> None:
    """Do the rows come from another Kafka than this one? Raises NothingLost where they do not."""
    if fits(known_clusters(client), kafka):
        raise NothingLost(
            "the rows in ClickHouse come from this very Kafka: it was not lost. Events that are missing "
            "in it are sent by `ringback replay`"
        )


async def keep_forgotten(client: Client, servers: str) -> None:
    """Whom ClickHouse knows to be forgotten a new Kafka knows as well, before any event is sent to it.

    What stood before offsets of the Kafka that was lost says nothing of this one.
    """
    known = kept_ledger(client)
    people = {name: replace(person, lines={}) for name, person in known.people.items()}
    documents = ledger_documents(replace(known, people=people))
    writer = BatchWriter(servers)
    try:
        await writer.write(FORGOTTEN, 0, ledger_records(documents))
    finally:
        await writer.stop()


def hand_over(client: Client, kafka: str) -> None:
    """The rows come from this Kafka from now on. Done again, it comes to the same.

    Before it a sink of the new Kafka refuses to write, so nothing of it is emptied.
    """
    for table in DERIVED:
        client.command(f"TRUNCATE TABLE {table}")
    client.command("TRUNCATE TABLE kafka_clusters")
    bind(client, kafka)


def load(
    history: History,
    sink: ClickHouseSink,
    ledger: Ledger,
    on_done: Callable[[int, int | None], None] = lambda *_: None,
) -> int:
    """Write the events of a history to ClickHouse, past Kafka; how many. Raises as history and sink.

    Nobody in the ledger is brought back.
    """
    count, total = 0, history.total()
    for piece in history.pieces(None):
        count += sink.insert(rows_of((record.value for record in piece.records), ledger))
        on_done(piece.done, total)
    return count


def rows_of(canonicals: Iterable[bytes], ledger: Ledger) -> dict[str, list[list[Any]]]:
    """Rows by table of events of contacts and of agents; heartbeats are of no table that is loaded."""
    tables: dict[str, list[list[Any]]] = {"events": [], "agent_events": []}
    for canonical in canonicals:
        event = decode(canonical)
        if isinstance(event, AgentStateChanged):
            tables["agent_events"].append(agent_event_row(event, canonical))
        elif not isinstance(event, SourceHeartbeat):
            known = cast(ContactEvent, ledger.applied(event))
            tables["events"].append(event_row(known, canonical if known is event else encode(known)))
    return tables


async def from_kafka(
    config: StreamConfig, sink: ClickHouseSink, wire: Wire, on_wait: Callable[[int], None]
) -> None:
    """Read all topics of a sink from their beginning into ClickHouse; returns when all is stored.

    Rows that are there already stay the same. Raises SinkAtWork, SinkRefused, StillWaiting, KafkaError,
    TopicUnreadable.
    """
    try:
        await read_all_again(config.bootstrap_servers)
        await raw_events(config, sink, wire)
    except KafkaError as error:
        raise SinkAtWork(
            f"the position in Kafka cannot be set back ({type(error).__name__}): stop all sinks of this "
            "Kafka (`ringback up` runs one), and run the command again"
        ) from None
    stop = asyncio.Event()
    copying = asyncio.create_task(run_sink(config, sink, wire, stop, Health("sink")))
    waiting = asyncio.create_task(until_stored(config, on_wait))
    try:
        await asyncio.wait((copying, waiting), return_when=asyncio.FIRST_COMPLETED)
        if copying.done():
            copying.result()  # what it refuses
        await waiting
    finally:
        waiting.cancel()
        stop.set()
        await copying


async def raw_events(config: StreamConfig, sink: ClickHouseSink, wire: Wire) -> None:
    """Load the events of contacts at speed; the sink goes on behind them. Raises as `from_kafka`.

    Not where somebody was forgotten: in whose place a name stands is known by decoding alone.
    """
    servers = config.bootstrap_servers
    await belongs_together(config, sink)  # which makes topics that an older Kafka lacks
    if not await stored_ledger(servers):
        await put_back(servers, await asyncio.to_thread(load_topic, servers, sink, wire))


async def until_stored(config: StreamConfig, on_wait: Callable[[int], None]) -> None:
    """Return when the sink has stored all that is in Kafka now. Raises StillWaiting."""
    async with OffsetReader(config.bootstrap_servers) as offsets:
        await wait_for(offsets, SINK_GROUP, await offsets.ends(SINK_TOPICS), on_wait, STILL_S)
