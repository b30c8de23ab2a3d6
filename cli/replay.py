"""`ringback replay`: events that were kept, sent into the pipeline again."""

from pathlib import Path
from typing import Annotated

import typer

from cli.addresses import http_address
from cli.clickhouse import client
from cli.console import Format, settings
from cli.histories import (
    Begin,
    Brokers,
    End,
    Offsets,
    SentFrom,
    SentTo,
    Topics,
    asked_of,
    checked,
    file_history,
    span_of,
)
from cli.replaying import Options, run
from cli.wire import wire
from maintenance.stored import StoredHistory
from maintenance.topic import TopicHistory
from sinks.connection import without_secret

app = typer.Typer(
    help="Send kept events into the pipeline again: nothing is counted twice, nobody is paged.",
    no_args_is_help=True,
)
Paths = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="JSON lines, packed or not; Avro container files; Parquet."),
]
Rate = Annotated[float | None, typer.Option(min=0.1, max=1e9, help="At most so many events a second.")]
MaxLag = Annotated[
    int | None,
    typer.Option(min=1, help="Wait while the worker is more records behind: live events do not wait long."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Send nothing; say which windows would change.")]
Restart = Annotated[bool, typer.Option("--restart", help="Begin anew, also where one was interrupted.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all is applied and stored.")]
Url = Annotated[
    str | None,
    typer.Option(
        callback=checked(http_address), help="Another ClickHouse to read from. Default: CLICKHOUSE_URL."
    ),
]
As = Annotated[Format, typer.Option(help="text or json.")]


@app.command("files")
def files(
    paths: Paths,
    begin: Begin = None,
    end: End = None,
    rate: Rate = None,
    max_lag: MaxLag = None,
    dry_run: DryRun = False,
    restart: Restart = False,
    wait: Wait = True,
    format: As = Format.text,
) -> None:
    """Send the events of files, such as those that `ringback export` wrote.

    An interrupted replay goes on where it was when the same command is given again.

    Example: ringback replay files history/*.avro --rate 20000
    """
    config = settings()
    history = file_history(paths, span_of(begin, end, config), config)
    run(history, Options(rate, max_lag, dry_run, restart, wait, format))


@app.command("kafka")
def kafka(
    topic: Topics = None,
    brokers: Brokers = None,
    offsets: Offsets = None,
    sent_from: SentFrom = None,
    sent_to: SentTo = None,
    begin: Begin = None,
    end: End = None,
    rate: Rate = None,
    max_lag: MaxLag = None,
    dry_run: DryRun = False,
    restart: Restart = False,
    wait: Wait = True,
    format: As = Format.text,
) -> None:
    """Send the events of Kafka topics: all, some offsets, or what was sent or happened in some time.

    Read is what is there when it begins. Another Kafka's, by --brokers, fill a new one.

    Example: ringback replay kafka --topic contact-events-old --offsets 0:5000-90000
    """
    config = settings()
    asked = asked_of(topic, offsets, sent_from, sent_to, config)
    servers = config.brokers_at(brokers) if brokers else config.bootstrap_servers
    history = TopicHistory(servers, wire(config), asked, span_of(begin, end, config))
    run(history, Options(rate, max_lag, dry_run, restart, wait, format))


@app.command("clickhouse")
def clickhouse(
    url: Url = None,
    begin: Begin = None,
    end: End = None,
    rate: Rate = None,
    max_lag: MaxLag = None,
    dry_run: DryRun = False,
    restart: Restart = False,
    wait: Wait = True,
    format: As = Format.text,
) -> None:
    """Send the events that ClickHouse has in its tables `events` and `agent_events`.

    A Kafka that was lost is filled by `ringback restore kafka`, which does more than that.

    Example: ringback replay clickhouse --from 1999-02-01 --to 1999-03-01
    """
    config = settings()
    source = client(config, url)
    place = without_secret(url or config.clickhouse)
    history = StoredHistory(source, place, span_of(begin, end, config))
    run(history, Options(rate, max_lag, dry_run, restart, wait, format))
