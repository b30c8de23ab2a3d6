"""`ringback dead-letters`: input that was no event."""

import asyncio
import base64
from typing import Annotated, Any

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.table import Table
from rich.text import Text

from adapters.sending.records import OutgoingRecord
from cli.clickhouse import client, short
from cli.console import NO, UNREACHABLE, Format, err, fail, out, print_json, settings
from cli.printable import printable
from cli.sending import open_sender
from cli.wire import wire
from reports.queries import rows, utc
from schemas.codec import DecodeError
from schemas.shape import is_shape
from schemas.topics import CONTACT_EVENTS
from streams.kafka.schema_lookup import SchemaLookup

app = typer.Typer(help="Unreadable and illegal input: list, show, send again.", no_args_is_help=True)
COLUMNS = ("origin", "position", "reason", "detail", "failed_at")
PAYLOAD = "hex(payload) AS payload_hex"
POSITION_MAX = 2**63 - 1
Reason = Annotated[str, typer.Option(help="Only this reason.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the latest first.")]
Origin = Annotated[str, typer.Argument(help="File, or topic[partition].")]
Position = Annotated[int, typer.Argument(min=0, max=POSITION_MAX, help="Line, or offset.")]
As = Annotated[Format, typer.Option(help="text or json.")]


def fetch(where: str, parameters: dict[str, Any], limit: int, payloads: bool = True) -> list[dict[str, Any]]:
    """Dead letters, the latest first, payloads as bytes; ends the command where there is no answer."""
    columns = ", ".join((*COLUMNS, PAYLOAD) if payloads else COLUMNS)
    sql = f"""SELECT {columns} FROM dead_letters FINAL WHERE {where}
        ORDER BY failed_at DESC, position DESC LIMIT {limit:d}"""  # noqa: S608 -- values are parameters
    try:
        found = rows(client(settings()), sql, parameters)
    except (ClickHouseError, OSError) as error:
        fail(f"ClickHouse cannot answer: {short(error)}. Ask for fewer by --limit or --reason", UNREACHABLE)
    return [row | {"payload": bytes.fromhex(row.pop("payload_hex", ""))} for row in found]


def document(row: dict[str, Any]) -> dict[str, Any]:
    """A dead letter as JSON."""
    payload = base64.b64encode(row["payload"]).decode()
    return row | {"payload": payload, "failed_at": utc(row["failed_at"])}


@app.command("list")
def list_(reason: Reason = "", limit: Limit = 100, format: As = Format.text) -> None:
    """What was refused, where it came from and why.

    Example: ringback dead-letters list --reason unknown_fingerprint
    """
    found = fetch(
        "reason = {reason:String} OR {reason:String} = ''", {"reason": reason}, limit, format is Format.json
    )
    if format is Format.json:
        print_json([document(row) for row in found])
        return
    if not found:
        out.print("no dead letters")
        return
    table = Table("origin", "position", "reason", "detail", box=None)
    for row in found:
        table.add_row(*(Text(printable(row[name])) for name in COLUMNS[:4]))
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
    where = "origin = {origin:String} AND position = {position:UInt64}"
    found = fetch(where, {"origin": origin, "position": position}, 100)
    if not found:
        fail(f"no dead letter {origin}:{position}; see `ringback dead-letters list`", NO)
    return found


@app.command("replay")
def replay(reason: Reason = "", limit: Limit = 10_000) -> None:
    """Send refused Kafka records to contact-events again, after an upgrade that can read them.

    What is still no event comes back as a dead letter. Not sent are refused lines of files (mend the file and
    import it again, which counts nothing twice) and records of which only the shape was kept.

    Example: ringback dead-letters replay --reason unknown_fingerprint
    """
    where = "(reason = {reason:String} OR {reason:String} = '') AND startsWith(origin, {topic:String})"
    found = fetch(where, {"reason": reason, "topic": f"{CONTACT_EVENTS}["}, limit)
    if not found:
        fail("no dead letters of Kafka records; refused lines of files are mended in the file", NO)
    shapes = sum(is_shape(row["payload"]) for row in found)
    found = [row for row in found if not is_shape(row["payload"])]
    if shapes:
        err.print(f"of {shapes:,} records only the shape was kept: their producer must send them again")
    sent = asyncio.run(send(found))
    out.print(f"sent again {sent:,}")


async def send(found: list[dict[str, Any]]) -> int:
    """Send payloads again under the key that their event names, or without one if it cannot be read."""

    wire_format = wire(settings())
    lookup = SchemaLookup(wire_format.registry)
    async with await open_sender(settings()) as sender:
        for row in found:
            await lookup.fetch(lookup.missing([row["payload"]]))
            try:
                event, _ = wire_format.decode(row["payload"])
                key = getattr(event, "contact_id", "").encode()
            except DecodeError:
                key = b""
            await sender.send_record(OutgoingRecord(CONTACT_EVENTS, key, row["payload"]))
    return len(found)
