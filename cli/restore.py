"""`ringback restore`: what was lost, filled again."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from adapters.kit.outcomes import WrongFile
from cli.clickhouse import client, short
from cli.console import NO, UNREACHABLE, WRONG_USE, err, fail, out, settings
from cli.histories import file_history
from cli.replaying import Options, sent
from cli.settings import Settings
from cli.stack import stack
from cli.stream_settings import stream_config
from cli.verify import compared, print_report
from cli.wire import wire
from deploy.local.data_dir import make_private
from maintenance.files import FileHistory
from maintenance.history import ALWAYS, History
from maintenance.restore import (
    NothingLost,
    SinkAtWork,
    from_kafka,
    hand_over,
    keep_forgotten,
    load,
    lost_kafka,
)
from maintenance.stored import StoredHistory
from maintenance.topic import TopicUnreadable
from sinks.connection import without_secret
from sinks.views.statements import apply_views
from sinks.writer import ClickHouseSink
from streams.health.group_lag import StillWaiting
from streams.kafka.forgotten import stored_ledger
from streams.kafka.identity import identity
from streams.kafka.topics import wait_for_topics

app = typer.Typer(
    help="Fill a Kafka or a ClickHouse that was lost again, from the other one or from exported files.",
    no_args_is_help=True,
)
Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILE...]", help="Exported files as well: what the other one does not have."),
]


@contextmanager
def stores(config: Settings) -> Iterator[None]:
    """Kafka and ClickHouse while the block runs: started where they are not configured elsewhere."""
    if config.kafka_bootstrap_servers and config.clickhouse_url:
        make_private(config.data_dir)
        yield
        return
    with stack(config, workers=0):
        yield


@contextmanager
def mended() -> Iterator[None]:
    """What can go wrong becomes a message and a status."""
    again = "Run the command again to go on"
    try:
        yield
    except WrongFile as error:
        fail(str(error), WRONG_USE)
    except (NothingLost, SinkAtWork) as error:
        fail(str(error), WRONG_USE)
    except (StillWaiting, TopicUnreadable) as error:
        fail(f"{error}. {again}", UNREACHABLE)
    except ClickHouseError as error:
        fail(f"ClickHouse cannot answer: {short(error)}. {again}", UNREACHABLE)


@app.command("kafka")
def kafka(files: Paths = None) -> None:
    """Fill a new Kafka from ClickHouse: every event is sent to it, and the worker makes its state of them.

    Then the tables of facts and windows are emptied, since the worker makes them anew too; raw events stay.
    Start worker and sink when it is done (`ringback up`). Events that had not reached ClickHouse have to be
    sent again by who sent them.

    Example: ringback restore kafka
    """
    config = settings()
    with stores(config), mended():
        connection = client(config)
        asyncio.run(wait_for_topics(config.bootstrap_servers, config.partitions, config.replication))
        this = identity(config.bootstrap_servers)
        lost_kafka(connection, this)
        ClickHouseSink(config.clickhouse).prepare()
        asyncio.run(keep_forgotten(connection, config.bootstrap_servers))
        histories: list[History] = [StoredHistory(connection, without_secret(config.clickhouse))]
        histories += from_files(files, config)
        count = sum(asyncio.run(sent(history, Options(wait=False)))["sent"] for history in histories)
        hand_over(connection, this)
    out.print(f"sent {count:,} events; start `ringback up` (or worker and sink), then `ringback verify`")


@app.command("clickhouse")
def clickhouse(files: Paths = None) -> None:
    """Fill a ClickHouse from Kafka, whether it is empty or lacks rows, then compare as `ringback verify`.

    Stop the sink first. Where topics have a retention, name the exported files that hold what was before it.

    Example: ringback restore clickhouse history/*.avro
    """
    config = settings()
    stream = stream_config(config)
    with stores(config), mended():
        views = partial(apply_views, rules=stream.rules, zone=config.timezone)
        sink = ClickHouseSink(config.clickhouse, views)
        sink.prepare()
        asyncio.run(from_kafka(stream, sink, wire(config), lambda _: None))
        ledger = asyncio.run(stored_ledger(config.bootstrap_servers))
        for history in from_files(files, config):
            err.print(
                f"{load(history, sink, ledger):,} events of {history.name}", highlight=False, markup=False
            )
        report = compared(client(config), config, None)
    print_report(report)
    if not report.agrees:
        raise typer.Exit(NO)


def from_files(files: list[Path] | None, config: Settings) -> list[FileHistory]:
    """The history in exported files, if any are named."""
    return [file_history(files, ALWAYS, config)] if files else []
