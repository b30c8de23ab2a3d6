"""`ringback forget`: a customer's key goes out of everything, and no number changes."""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client
from confluent_kafka import KafkaException

from adapters.kit.outcomes import WrongFile
from cli.clickhouse import client
from cli.console import NO, UNREACHABLE, WRONG_USE, Format, err, fail, out, print_json, settings
from cli.restore import stores
from cli.secrets import customer_secret
from cli.settings import Settings
from cli.verify import compared
from cli.wire import wire
from maintenance.forget import report as reports
from maintenance.forget import topics
from maintenance.forget.forget import Asked, AtWork, NotForgotten, forget, look
from maintenance.forget.forget import seal as destroy_names
from maintenance.forget.pseudonym import NoPseudonym
from maintenance.topic import TopicUnreadable
from schemas.customer_key import customer_key
from sinks.writer import ClickHouseSink
from streams.kafka.topics import wait_for_topics

SHORTEST = 16
Customers = Annotated[
    list[str] | None,
    typer.Argument(metavar="CUSTOMER...", help="Telephone number, e-mail address, account: as imported."),
]
Files = Annotated[
    list[Path] | None, typer.Option("--file", help="An exported file to rewrite; may be repeated.")
]
Report = Annotated[
    Path | None, typer.Option(help="Where the report goes: Markdown, or JSON if its name ends in .json.")
]
ByKey = Annotated[bool, typer.Option("--key", help="CUSTOMER is the customer_key, as events have it.")]
Seal = Annotated[bool, typer.Option("--seal", help="Destroy the names of all who are forgotten, for good.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say where they stand.")]
Verify = Annotated[bool, typer.Option("--verify/--no-verify", help="Recompute from raw events at the end.")]


def keys_of(customers: list[str], by_key: bool, config: Settings) -> list[str]:
    """The customer keys; ends the command where one names nobody."""
    if by_key:
        short = [key for key in customers if len(key) < SHORTEST or orjson.dumps(key) != f'"{key}"'.encode()]
        if short:
            fail(
                f"--key: a key has at least {SHORTEST} characters, none of them a quote or a backslash",
                WRONG_USE,
            )
        return [*dict.fromkeys(customers)]
    secret = customer_secret(config)
    keys = [customer_key(customer, secret) for customer in customers]
    if None in keys:
        fail("one of the customers is written as somebody unknown: that is the key of nobody", WRONG_USE)
    return [*dict.fromkeys(key for key in keys if key)]


@contextmanager
def mended() -> Iterator[None]:
    """What can go wrong becomes a message and a status."""
    again = "Run the same command again to go on"
    try:
        yield
    except (AtWork, WrongFile, NoPseudonym) as error:
        fail(str(error), WRONG_USE)
    except (KafkaException, TopicUnreadable, KafkaError) as error:
        fail(f"Kafka does not answer as it should ({error}). {again}", UNREACHABLE)
    except NotForgotten as error:
        fail(f"not forgotten: {error}. Nothing is lost; {again.lower()}, and report it if it stays", NO)


def forget_command(
    customers: Customers = None,
    file: Files = None,
    report: Report = None,
    by_key: ByKey = False,
    dry_run: DryRun = False,
    verify: Verify = True,
    seal: Seal = False,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """Forget customers: their key goes out of everything, for good, and no number changes.

    A name drawn at random takes its place, the same in all contacts of a customer: in ClickHouse, in the
    workers' state, in topics and in the files that you name. A later replay, import or restore does not bring
    them back. Stop workers and sinks first (`ringback up`). What stays in Kafka's files until when is in the
    report.

    Example: ringback forget "+49 30 1234567" --file history/1999-02.avro --report told.json
    """
    config = settings()
    if seal == bool(customers):
        fail("name customers to be forgotten, or give --seal alone", WRONG_USE)
    if seal:
        sealed(config)
        return
    keys = keys_of(customers or [], by_key, config)
    secret = b"" if by_key else customer_secret(config)
    for path in file or []:
        if not path.is_file():
            fail(f"cannot read {path}: there is no such file", WRONG_USE)
    require_place(report)
    with stores(config), mended():
        asyncio.run(wait_for_topics(config.bootstrap_servers, config.partitions, config.replication))
        ClickHouseSink(config.clickhouse).prepare()
        connection, now_ms = client(config), time.time_ns() // 1_000_000
        asked = Asked(keys, config.bootstrap_servers, wire(config), now_ms, file or [], secret)
        if dry_run:
            tell_where(connection, asked, format)
            return
        told = forgotten(connection, asked, config, verify)
    keep_report(report, told)
    if format is Format.json:
        print_json(told)
    else:
        out.print(reports.text(told), highlight=False, markup=False, soft_wrap=True)


def sealed(config: Settings) -> None:
    """Destroy the names that stand in the ledger."""
    with stores(config), mended():
        asyncio.run(wait_for_topics(config.bootstrap_servers, config.partitions, config.replication))
        count = asyncio.run(
            destroy_names(client(config), config.bootstrap_servers, time.time_ns() // 1_000_000)
        )
    out.print(f"{count:,} customers: nobody can tell any more which name took the place of whom")


def retentions(config: Settings) -> dict[str, int]:
    """How long Kafka keeps the logs."""
    return {topic: topics.retention_ms(config.bootstrap_servers, topic) for topic in topics.LOGS}


def tell_where(connection: Client, asked: Asked, format: Format) -> None:
    """Say where they stand; status 1 where nowhere."""
    found = look(connection, asked)
    told = reports.where(found, retentions(settings()))
    if format is Format.json:
        print_json(told)
    else:
        for place in ("tables", "topics"):
            for name, number in told[place].items():
                out.print(f"{place[:-1]} {name}: {number:,}", highlight=False, markup=False)
        for log in told["logs"]:
            out.print(f"log {log['topic']}: {log['records']:,}", highlight=False, markup=False)
    if not found.anywhere:
        err.print("nobody is known by that: nothing would be changed", highlight=False)
        raise typer.Exit(NO)


def forgotten(connection: Client, asked: Asked, config: Settings, verify: bool) -> dict[str, Any]:
    """Do it, and tell of it."""
    done = asyncio.run(forget(connection, asked, lambda step: err.print(step, highlight=False, markup=False)))
    if done is None:
        err.print("nobody is known by that: nothing was changed", highlight=False)
        raise typer.Exit(NO)
    # State on disk may keep what was replaced; from the changelogs it is made anew.
    shutil.rmtree(config.data_dir / "state", ignore_errors=True)
    differences = compared(connection, config, None).differing if verify else None
    return reports.document(done, asked.keys, asked.now_ms, retentions(config), differences)


def require_place(path: Path | None) -> None:
    """A report can be written there: it tells of what cannot be done again."""
    if path is None:
        return
    if path.is_dir():
        fail(f"--report {path} is a folder: name a file", WRONG_USE)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        fail(f"--report {path} cannot be written: name a file in a folder that is there", WRONG_USE)


def keep_report(path: Path | None, told: dict[str, Any]) -> None:
    """Write the report to a file, if it is wanted there."""
    if path is None:
        return
    if path.suffix == ".json":
        path.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    else:
        path.write_text(reports.text(told), "utf-8")
