"""`ringback dead-letters`: input that was no event."""

import asyncio
import base64
from typing import Annotated, Any

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.table import Table
from rich.text import Text

from adapters.sending.records import event_record
from cli.clickhouse import client, short
from cli.console import NO, UNREACHABLE, Format, err, fail, out, print_json, settings
from cli.printable import printable
from cli.sending import open_sender
from cli.wire import wire
from reports.queries import rows, utc
from schemas.codec import DecodeError
from schemas.shape import is_shape
from schemas.topics import RAW_TOPICS
from sql import dead_letter_queries as text
from sql.dead_letter_queries import COLUMNS
from streams.kafka.schema_lookup import SchemaLookup

app = typer.Typer(help="Unreadable and illegal input: list, show, send again, close.", no_args_is_help=True)
# Origins of Kafka records of events.
KAFKA = rf"^({'|'.join(RAW_TOPICS)})\[[0-9]+\]$"
PLACE = "origin = {origin:String} AND position = {position:UInt64}"
POSITION_MAX = 2**63 - 1
Reason = Annotated[str, typer.Option(help="Only this reason.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the latest first.")]
All = Annotated[bool, typer.Option("--all", help="Also what was replayed or mended.")]
Origin = Annotated[str, typer.Argument(help="File, or topic[partition].")]
Position = Annotated[int, typer.Argument(min=0, max=POSITION_MAX, help="Line, or offset.")]
As = Annotated[Format, typer.Option(help="text or json.")]


def fetch(
    where: str, parameters: dict[str, Any], limit: int, payloads: bool = True, closed: bool = False
) -> list[dict[str, Any]]:
    """Dead letters, the latest first, payloads as bytes; ends the command where there is no answer."""
    sql = text.letters(where, limit, payloads, closed)
    try:
        found = rows(client(settings()), sql, parameters)
    except (ClickHouseError, OSError) as error:
        fail(f"ClickHouse cannot answer: {short(error)}. Ask for fewer by --limit or --reason", UNREACHABLE)
    return [row | {"payload": bytes.fromhex(row.pop("payload_hex", ""))} for row in found]


def document(row: dict[str, Any]) -> dict[str, Any]:
    """A dead letter as JSON."""
    times = {name: utc(row[name]) if row[name] else None for name in ("failed_at", "closed_at")}
    return row | times | {"payload": base64.b64encode(row["payload"]).decode()}


@app.command("list")
def list_(reason: Reason = "", limit: Limit = 100, all_: All = False, format: As = Format.text) -> None:
    """What was refused, where it came from and why: what is open, or with --all what was closed as well.

    Example: ringback dead-letters list --reason unknown_fingerprint
    """
    where = "reason = {reason:String} OR {reason:String} = ''"
    found = fetch(where, {"reason": reason}, limit, format is Format.json, all_)
    if format is Format.json:
        print_json([document(row) for row in found])
        return
    if not found:
        out.print("no dead letters")
        return
    table = Table("origin", "position", "reason", "detail", *(["closed"] if all_ else []), box=None)
    for row in found:
        shown = [row[name] for name in COLUMNS[:4]] + ([row["how"]] if all_ else [])
        table.add_row(*(Text(printable(value)) for value in shown))
    out.print(table)


@app.command("show")
def show(origin: Origin, position: Position) -> None:
    """One dead letter with its payload.

    Example: ringback dead-letters show calls.jsonl 17
    """
    found = one(origin, position)
    for row in found:
        origin, place, reason, detail = (printable(row[name]) for name in COLUMNS[:4])
        out.print(f"{origin}:{place} {reason}: {detail}", markup=False)
        out.print(repr(row["payload"])[2:-1], markup=False, highlight=False)


def one(origin: str, position: int) -> list[dict[str, Any]]:
    """The dead letters of one place; ends the command with status 1 where there is none."""
    where = PLACE
    found = fetch(where, {"origin": origin, "position": position}, 100, closed=True)
    if not found:
        fail(f"no dead letter {origin}:{position}; see `ringback dead-letters list`", NO)
    return found


@app.command("replay")
def replay(reason: Reason = "", limit: Limit = 10_000) -> None:
    """Send refused Kafka records again that can be read now, after an upgrade or with a schema registry set.

    They are closed by it. What still cannot be read stays open and is not sent. Refused lines of files are
    mended in the file (see close); records of which only the shape was kept are sent again by their producer.

    Example: ringback dead-letters replay --reason unknown_fingerprint
    """
    where = "(reason = {reason:String} OR {reason:String} = '') AND match(origin, {topics:String})"
    found = fetch(where, {"reason": reason, "topics": KAFKA}, limit)
    if not found:
        fail("no dead letters of Kafka records; refused lines of files are mended in the file", NO)
    shapes = sum(is_shape(row["payload"]) for row in found)
    found = [row for row in found if not is_shape(row["payload"])]
    if shapes:
        err.print(f"of {shapes:,} records only the shape was kept: their producer must send them again")
    sent = asyncio.run(send(found))
    for row in sent:
        closed_by(PLACE, {"origin": row["origin"], "position": row["position"]}, "replayed")
    if len(sent) < len(found):
        err.print(f"{len(found) - len(sent):,} records still cannot be read: they stay open")
    out.print(f"sent again {len(sent):,}")


@app.command("close")
def close(
    origin: Origin,
    position: Annotated[
        int | None, typer.Argument(min=0, max=POSITION_MAX, help="One of them alone.")
    ] = None,
) -> None:
    """Take what is done with off the list: lines that were mended in their file, or need not be.

    They stay in the table and in `list --all`. What is refused once more is open again.

    Example: ringback dead-letters close calls.jsonl
    """
    where = PLACE if position is not None else "origin = {origin:String}"
    number = closed_by(where, {"origin": origin, "position": position or 0}, "mended")
    if not number:
        fail(f"no open dead letter of {origin}; see `ringback dead-letters list`", NO)
    out.print(f"closed {number:,}")


def closed_by(where: str, parameters: dict[str, Any], how: str) -> int:
    """Close the open ones of a condition; how many. Ends the command where there is no answer."""
    try:
        connection = client(settings())
        counted = f"{text.open_letters()} AND ({where})"
        number = int(connection.query(counted, parameters=parameters).result_rows[0][0])
        if number:
            connection.command(text.close(where), parameters=parameters | {"how": how})
    except (ClickHouseError, OSError) as error:
        fail(f"ClickHouse cannot answer: {short(error)}", UNREACHABLE)
    return number


async def send(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Send what can be read, as it was, to the topic and under the key of its event; those that were sent."""
    wire_format = wire(settings())
    lookup = SchemaLookup(wire_format.registry)
    sent = []
    async with await open_sender(settings()) as sender:
        for row in found:
            await lookup.fetch(lookup.missing([row["payload"]]))
            try:
                event, _ = wire_format.decode(row["payload"])
            except DecodeError:
                continue
            payload = row["payload"]
            await sender.send_record(event_record(event, lambda _, payload=payload: payload))  # type: ignore[misc]
            sent.append(row)
    return sent
