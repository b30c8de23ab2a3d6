"""How a replay runs: its checks, what it shows, and how it ends."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError

from adapters.kit.outcomes import WrongFile
from adapters.sending.producer import NotSent
from cli.clickhouse import client, short
from cli.console import NO, UNREACHABLE, WRONG_USE, Format, err, fail, out, print_json, settings, waiting
from cli.printable import printable
from cli.replay_bar import ReplayBar
from cli.sending import open_sender, print_counts, wait_stored
from cli.settings import rules_of
from cli.wire import ForgettingEncoder, encoder
from maintenance.history import History
from maintenance.positions import PositionFile, Progress
from maintenance.replay import Pace, replay
from maintenance.topic import NothingSuch, TopicUnreadable
from reports.changes import Changes, changes
from schemas.topics import RAW_TOPICS, WORKER_GROUP
from streams.health.group_lag import OffsetReader
from streams.kafka.forgotten import stored_ledger
from streams.kafka.identity import identity

SHOWN = 20
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Options:
    """How a replay is done."""

    rate: float | None = None
    max_lag: int | None = None
    dry_run: bool = False
    restart: bool = False
    wait: bool = True
    format: Format = Format.text


def run(history: History, options: Options) -> None:
    """Replay, or say what it would change; what can go wrong becomes a message and a status."""
    try:
        if options.dry_run:
            unread: Counter[str] = Counter()
            told(dry(history, unread), unread, options.format)
        else:
            done = asyncio.run(sent(history, options))
            print_counts(done, options.format)
            require_events(done)
    except (WrongFile, NothingSuch) as error:
        fail(str(error), WRONG_USE)
    except (NotSent, TopicUnreadable) as error:
        fail(f"{error}. Run the same command again to go on", UNREACHABLE)
    except ClickHouseError as error:
        fail(f"ClickHouse cannot answer: {short(error)}. Run the same command again to go on", UNREACHABLE)
    except KeyboardInterrupt:
        err.print(
            "interrupted. To go on run the same command again; nothing is counted twice", highlight=False
        )
        raise typer.Exit(INTERRUPTED) from None


def require_events(done: dict[str, int]) -> None:
    """What was read is something else than events: that is no replay, and no success."""
    if done["unreadable"] and not done["sent"]:
        fail(
            f"nothing was sent: {done['unreadable']:,} records cannot be read as events. Is it a topic of "
            "events? Those with a schema of a registry need SCHEMA_REGISTRY_URL",
            NO,
        )


async def sent(history: History, options: Options) -> dict[str, int]:
    """Send, and wait until all is stored if asked to; the counts."""
    config = settings()
    async with await open_sender(config) as sender, OffsetReader(config.bootstrap_servers) as offsets:

        async def lag() -> int:
            return sum(part.events for part in await offsets.lags(WORKER_GROUP, RAW_TOPICS))

        source = await asyncio.to_thread(lambda: history.identity)
        target = await asyncio.to_thread(identity, config.bootstrap_servers)
        kept = PositionFile(config.data_dir, (*source, "to", target))
        if options.restart:
            kept.remove()
        if (before := kept.read()) is not None:
            say = f"going on behind {before.sent:,} events that were sent before; --restart begins anew"
            err.print(say, highlight=False)
        bar = ReplayBar()
        pace = Pace(options.rate, options.max_lag, lag)
        ledger = await stored_ledger(config.bootstrap_servers)
        encode = ForgettingEncoder(encoder(config), ledger) if config.schema_registry_url or ledger else None
        with bar.of(history.name):
            done = await replay(history, sender, kept, pace, bar.update, encode)
    if options.wait:
        await wait_stored(config)
    return counts(done)


def counts(done: Progress) -> dict[str, int]:
    """What is printed."""
    return {"sent": done.sent, "dead_letters": done.refused, "unreadable": done.unreadable}


def dry(history: History, unread: Counter[str]) -> Changes:
    """What a replay would change; counted beside: `dead_letters`, which it would make, and `unreadable`."""
    config = settings()

    def canonicals() -> Iterator[list[bytes]]:
        for piece in history.pieces(None):
            unread.update(dead_letters=len(piece.refused), unreadable=piece.unreadable)
            yield [record.value for record in piece.records]

    with waiting("comparing with what ClickHouse holds"):
        return changes(client(config), rules_of(config), canonicals())


def told(found: Changes, unread: Counter[str], format: Format) -> None:
    """Say which windows would change, and by how much."""
    if format is Format.json:
        print_json(asdict(found) | {name: unread[name] for name in ("dead_letters", "unreadable")})
        return
    if unread.total():
        out.print(f"{unread.total():,} lines or records are no events")
    out.print(f"{found.events:,} events of contacts, {found.new:,} of them not stored yet")
    if found.apart:
        out.print(f"{found.apart:,} agents' states and heartbeats, which are not compared")
    out.print(f"{found.windows:,} {'window' if found.windows == 1 else 'windows'} would change")
    for change in found.changes[:SHOWN]:
        out.print(printable(line(change)), highlight=False, markup=False, soft_wrap=True)
    if found.windows > SHOWN:
        out.print(f"... the rest with --format json ({len(found.changes):,} listed)")


def line(change: dict[str, Any]) -> str:
    """A window that changes, in a line."""
    where = "/".join(map(str, change["dimensions"].values()))
    measures = ", ".join(f"{name} {m['now']} -> {m['then']}" for name, m in change["measures"].items())
    return f"{change['window_start']} {where}: {measures}"
