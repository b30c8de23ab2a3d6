"""`ringback heal`: contacts that a producer has split between partitions are brought together."""

import asyncio
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.markup import escape

from cli.clickhouse import short
from cli.console import UNREACHABLE, Format, err, fail, out, print_json, settings, waiting
from cli.sending import wait_stored
from cli.settings import Settings
from cli.wire import wire
from schemas.codec import DecodeError
from schemas.topics import CONTACT_EVENTS
from sinks.connection import connect
from sql.dead_letter_queries import close, open_letters
from streams.kafka.decoding import Wire
from streams.kafka.placement import Found, Stray, bring_home, look
from streams.kafka.schema_lookup import SchemaLookup
from streams.stages.contacts.placement import WRONG_PARTITION

HOME = "reason = {reason:String} AND origin = {origin:String} AND position IN {offsets:Array(UInt64)}"
REFUSED = "SELECT origin, position FROM dead_letters FINAL WHERE reason = {reason:String}"
AT_ONCE = 5_000  # dead letters of a statement
EPOCH = "SELECT intDiv(max(version), 1099511627776) FROM kpi_windows"
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Return once Kafka has it.")]


async def events_among(found: Found, wire: Wire) -> list[Stray]:
    """The records that are events under their own key: others are dead letters wherever they are."""
    lookup, events = SchemaLookup(wire.registry), []
    for stray in found.strays():
        await lookup.fetch(lookup.missing([stray.value]))
        try:
            event, _ = wire.decode(stray.value)
        except DecodeError:
            continue
        if getattr(event, "contact_id", "").encode() == stray.key:
            events.append(stray)
    return events


def least_epoch(config: Settings, events: list[Stray]) -> int | None:
    """RINGBACK_EPOCH by which workers publish these contacts anew; None where they were never counted.

    A worker of before version 2 counted what is in a wrong partition, and published rows of it. Those of
    today refuse it.
    """
    try:
        client = connect(config.clickhouse)
        refused = set(client.query(REFUSED, {"reason": WRONG_PARTITION}).result_rows)
        if all((f"{CONTACT_EVENTS}[{one.partition}]", one.offset) in refused for one in events):
            return None
        return int(client.query(EPOCH).result_rows[0][0]) + 1
    except (ClickHouseError, OSError) as error:
        err.print(f"[yellow]ClickHouse does not say what was counted: {escape(short(error))}[/]")
        return None


async def healed(config: Settings, dry_run: bool) -> tuple[Found, list[Stray]]:
    """Look at all of contact-events, and bring home what is astray."""
    found = await look(config.bootstrap_servers)
    events = await events_among(found, wire(config))
    if events and not dry_run:
        left = dict.fromkeys((stray.key, stray.partition) for stray in events)
        await bring_home(config.bootstrap_servers, events, left, found.partitions)
    return found, events


def close_letters(config: Settings, home: list[tuple[int, int]]) -> int:
    """Close the dead letters of records (partition, offset) that are where they belong now; how many."""
    closed = 0
    try:
        connection = connect(config.clickhouse)
        for partition in sorted({partition for partition, _ in home}):
            offsets = [offset for place, offset in home if place == partition]
            for first in range(0, len(offsets), AT_ONCE):
                given = {
                    "reason": WRONG_PARTITION,
                    "origin": f"{CONTACT_EVENTS}[{partition}]",
                    "offsets": offsets[first : first + AT_ONCE],
                    "how": "mended",
                }
                closed += int(connection.query(f"{open_letters()} AND {HOME}", given).result_rows[0][0])
                connection.command(close(HOME), given)
    except (ClickHouseError, OSError) as error:
        err.print(f"[yellow]dead letters stay open, run it again: {escape(short(error))}[/]")
    return closed


def heal(
    dry_run: DryRun = False,
    no_wait: NoWait = False,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """Bring contacts together that a producer with another partitioner has split.

    Mend the producer first: set partitioner=murmur2_random in what rests on librdkafka.

    Reads all of contact-events, sends what is in a wrong partition to the right one, and tells the worker
    that the contact has left the wrong one. Their dead letters are closed. Run again, it finds nothing to do.

    Example: ringback heal --dry-run
    """
    config = settings()
    if config.partitioner == "any":
        fail("RINGBACK_PARTITIONER is any: there is no right partition. Unset it, for workers as well", 2)
    try:
        with waiting("reading contact-events"):
            found, events = asyncio.run(healed(config, dry_run))
    except (KafkaError, OSError) as error:
        fail(f"Kafka at {config.bootstrap_servers} does not answer: {short(error)}", UNREACHABLE)
    epoch = least_epoch(config, events) if events else None
    if events and not dry_run and not no_wait:
        asyncio.run(wait_stored(config))
    # Without waiting, what was refused just now may not be stored yet: another run closes it.
    home = [*found.moved, *((stray.partition, stray.offset) for stray in events)]
    closed = close_letters(config, home) if home and not dry_run and not no_wait else 0
    contacts = len({stray.key for stray in events})
    counts = {"records": found.records, "wrong": len(events), "contacts": contacts, "closed": closed}
    if format is Format.json:
        print_json(counts | {"epoch": epoch})
    else:
        tell(counts, epoch, dry_run)


def tell(counts: dict[str, int], epoch: int | None, dry_run: bool) -> None:
    """Print what was found and done."""
    wrong, contacts = counts["wrong"], counts["contacts"]
    out.print(
        f"of {counts['records']:,} records {wrong:,}, of {contacts:,} contacts, in a wrong partition",
        soft_wrap=True,
    )
    if wrong:
        out.print("nothing was sent" if dry_run else "sent to the right one")
    if counts["closed"]:
        out.print(f"{counts['closed']:,} dead letters of them closed")
    if epoch is not None:
        out.print(
            f"Some were counted where they were. Restart all workers with RINGBACK_EPOCH={epoch}: they "
            "publish everything anew, and `ringback verify` will find no difference",
            soft_wrap=True,
        )
