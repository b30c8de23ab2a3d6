"""`ringback export`: events into files, so that history can be kept without Kafka or ClickHouse."""

from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli.clickhouse import client, short
from cli.console import UNREACHABLE, WRONG_USE, Format, err, fail, out, print_json, settings
from cli.histories import Begin, Brokers, End, Offsets, SentFrom, SentTo, Topics, asked_of, span_of
from cli.printable import printable
from cli.wire import wire
from maintenance.archive import Archive, FileShrinks, Form
from maintenance.export_stored import Exported, export_stored
from maintenance.export_topic import export_topic
from maintenance.topic import NothingSuch, TopicHistory, TopicUnreadable

app = typer.Typer(
    help="Write events to Avro container files or Parquet; done again it writes what changed.",
    no_args_is_help=True,
)
Folder = Annotated[Path, typer.Argument(help="Folder to write to.", file_okay=False)]
Into = Annotated[Form, typer.Option("--as", help="avro (container files) or parquet.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Write all files anew, also with fewer events.")]
As = Annotated[Format, typer.Option(help="text or json.")]


@app.command("clickhouse")
def clickhouse(
    folder: Folder,
    form: Into = Form.avro,
    begin: Begin = None,
    end: End = None,
    overwrite: Overwrite = False,
    format: As = Format.text,
) -> None:
    """Write the events of ClickHouse, a file for each month (UTC) in which they happened.

    Files whose events have not changed are left alone; one never comes to hold fewer events by itself.

    Example: ringback export clickhouse history --as parquet
    """
    config = settings()
    span = span_of(begin, end, config)
    archive = opened(folder, overwrite)
    try:
        print_files(export_stored(client(config), archive, form, span, told), format)
    except FileShrinks as error:
        fail(str(error), WRONG_USE)
    except ClickHouseError as error:
        fail(f"ClickHouse cannot answer: {short(error)}. Run it again to go on", UNREACHABLE)


@app.command("kafka")
def kafka(
    folder: Folder,
    form: Into = Form.avro,
    topic: Topics = None,
    brokers: Brokers = None,
    offsets: Offsets = None,
    sent_from: SentFrom = None,
    sent_to: SentTo = None,
    overwrite: Overwrite = False,
    format: As = Format.text,
) -> None:
    """Write the events of Kafka topics, a file for each 200,000 offsets of a partition.

    Done again it writes what came since. What is in files may be deleted by a topic's retention.

    Example: ringback export kafka history --as avro
    """
    config = settings()
    asked = asked_of(topic, offsets, sent_from, sent_to, config)
    servers = config.brokers_at(brokers) if brokers else config.bootstrap_servers
    history = TopicHistory(servers, wire(config), asked)
    archive = opened(folder, overwrite)
    try:
        print_files(export_topic(history, archive, form, told), format)
    except NothingSuch as error:
        fail(str(error), WRONG_USE)
    except TopicUnreadable as error:
        fail(f"{error}. Run it again to go on", UNREACHABLE)
    except ClickHouseError as error:
        fail(f"Parquet cannot be written: {short(error)}", WRONG_USE)


def opened(folder: Path, overwrite: bool) -> Archive:
    """The folder; ends the command where its manifest is none."""
    try:
        return Archive(folder, overwrite)
    except (ValueError, TypeError, AttributeError):
        fail(f"{folder}/manifest.json is none of `ringback export`: take another folder", WRONG_USE)


def told(file: Exported) -> None:
    """A line for each file, on stderr."""
    what = "written" if file.written else "unchanged"
    err.print(printable(f"{file.name}: {file.events:,} events, {what}"), highlight=False, markup=False)


def print_files(files: list[Exported], format: Format) -> None:
    """What came of it."""
    written = [file for file in files if file.written]
    if format is Format.json:
        names = {file.name: {"events": file.events, "written": file.written} for file in files}
        print_json({"events": sum(f.events for f in files), "written": len(written), "files": names})
        return
    out.print(
        f"{len(files):,} files, {len(written):,} of them written, {sum(f.events for f in files):,} events"
    )
