"""Forgetting customers, step by step; each can be run again, and the ledger says whether all were done."""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_bytes

import orjson
from clickhouse_connect.driver.client import Client

from maintenance.forget import tables, topics
from maintenance.forget.files import rewrite_file
from maintenance.forget.pseudonym import draw
from maintenance.forget.renaming import Renaming
from schemas.codec import DecodeError
from schemas.forgotten import Forgotten, Ledger, Person
from schemas.topics import (
    CONTACT_EVENTS,
    CUSTOMER_CONTACTS,
    DEAD_LETTERS,
    FORGOTTEN,
    SINK_GROUP,
    WORKER_GROUP,
)
from sinks.forgotten import kept_ledger, ledger_documents, ledger_rows
from streams.kafka.decoding import Wire
from streams.kafka.forgotten import ledger_records, stored_ledger
from streams.kafka.writer import BatchWriter

LEAVING_S = 20.0
KEY_BYTES = 32
Totals = dict[str, list[str]]


class AtWork(RuntimeError):
    """A worker or a sink runs: it has in memory what is to be rewritten."""


class NotForgotten(RuntimeError):
    """Something still names the customer, or a total is another: a mistake of ours."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom to forget, by customer key, and where."""

    keys: Sequence[str]
    servers: str
    wire: Wire
    now_ms: int
    files: Sequence[Path] = ()
    secret: bytes = b""


@dataclass(frozen=True, slots=True)
class Where:
    """Where customers stand: rows by table, records by topic, events by file."""

    rows: Mapping[str, int]
    topics: Mapping[str, topics.Found]
    latest_ms: int = 0

    @property
    def anywhere(self) -> bool:
        """Is there anything that can be rewritten, or that would bring them back?"""
        return any(self.rows.values()) or any(one.records for one in self.topics.values())


@dataclass(frozen=True, slots=True)
class Done:
    """What was found and done."""

    found: Where
    ledger: Ledger
    files: Mapping[str, int]
    before: Totals
    after: Totals


def look(client: Client, asked: Asked) -> Where:
    """Where these customers stand. Changes nothing."""
    renaming = Renaming(dict.fromkeys(asked.keys, ""), Ledger())
    latest = tables.latest_ms(client, asked.keys)

    def happened(value: bytes) -> None:
        nonlocal latest
        try:
            latest = max(latest, asked.wire.decode(value)[0].occurred_at)
        except DecodeError:
            return

    def named(key: bytes | None, value: bytes | None) -> bool:
        return renaming.found_in(key) or renaming.found_in(value)

    def letter(_: bytes | None, value: bytes | None) -> bool:
        return value is not None and renaming.found_in(payload_of(value))

    found = {topic: topics.look(asked.servers, topic, named) for topic in topics.COMPACTED}
    found[CONTACT_EVENTS] = topics.look(asked.servers, CONTACT_EVENTS, named, happened)
    found[DEAD_LETTERS] = topics.look(asked.servers, DEAD_LETTERS, letter)
    return Where(tables.rows_of(client, asked.keys), found, latest)


def payload_of(value: bytes) -> bytes:
    """What a dead letter says: its payload and its detail; nothing of what is none."""
    try:
        document = orjson.loads(value)
        return b64decode(document["payload"]) + str(document["detail"]).encode()
    except (ValueError, KeyError, TypeError):
        return b""


async def forget(
    client: Client, asked: Asked, on_step: Callable[[str], None] = lambda _: None
) -> Done | None:
    """Forget them; None where nobody is known by these keys. Raises AtWork, NoPseudonym, NotForgotten.

    Raises also what Kafka, ClickHouse and files say. Interrupted at any point it is run again.
    """
    at_work = await topics.idle(asked.servers, (WORKER_GROUP, SINK_GROUP), LEAVING_S)
    if at_work:
        raise AtWork(
            f"{' and '.join(at_work)} at work ({sum(at_work.values())} processes): they have in memory what "
            "is to be rewritten. Stop all workers and sinks (`ringback up`), and run the command again; "
            "senders may go on"
        )
    on_step("looking for them")
    found = await asyncio.to_thread(look, client, asked)
    ledger = await both_ledgers(client, asked.servers)
    if not found.anywhere and not any(ledger.person(key) for key in asked.keys):
        return None
    ledger = with_names(client, ledger, asked, found)
    await keep(client, asked.servers, ledger, asked.now_ms)
    before = tables.totals(client)
    names = {key: name for key in asked.keys if (name := ledger.last_name(key))}
    renaming = Renaming(names, ledger)
    on_step("rewriting topics")
    compacted = {topic: found.topics[topic] for topic in topics.COMPACTED}
    await topics.rewrite(asked.servers, compacted, renaming, partitions_in(found))
    await asyncio.to_thread(topics.bound_compaction, asked.servers)
    await asyncio.to_thread(tables.rewrite, client, renaming, lambda name: on_step(f"rewriting table {name}"))
    files = {}
    for path in asked.files:
        on_step(f"rewriting {path.name}")
        files[str(path)] = await asyncio.to_thread(rewrite_file, path, ledger, asked.secret)
    on_step("looking again")
    after = tables.totals(client)
    await asyncio.to_thread(require_gone, client, asked, before, after)
    ledger = replace(ledger, people={name: replace(p, done=True) for name, p in ledger.people.items()})
    await keep(client, asked.servers, ledger, asked.now_ms)
    return Done(found, ledger, files, before, after)


def partitions_in(found: Where) -> int:
    """How many partitions the stream has."""
    return len(found.topics[CUSTOMER_CONTACTS].ends)


async def both_ledgers(client: Client, servers: str) -> Ledger:
    """The ledger as Kafka has it; that of ClickHouse where Kafka has none."""
    return await stored_ledger(servers) or kept_ledger(client) or Ledger(token_bytes(KEY_BYTES))


def with_names(client: Client, ledger: Ledger, asked: Asked, found: Where) -> Ledger:
    """The ledger with these customers in it; who was begun with and not done keeps the name.

    Who was forgotten before and has come back gets a name more, for what happened since.
    """
    people = dict(ledger.people)
    lines = {topic: found.topics[topic].ends for topic in topics.TOLD}
    for key in asked.keys:
        person, until = ledger.person(key), max(asked.now_ms, found.latest_ms)
        if person is None or (person.done and stands(found, key)):
            drawn = draw(key, partitions_in(found), tables.disputed(client, key))
            times = (*(person.times if person else ()), Forgotten(until, drawn))
        else:
            times = person.times
        people[ledger.digest(key)] = Person(times, lines, done=False)
    return Ledger(ledger.key, people)


def stands(found: Where, key: str) -> bool:
    """Does anything that is kept of a customer name them still, or again?"""
    raw = key.encode()
    return any(
        raw in (name or b"") or raw in value
        for topic in topics.COMPACTED
        for standing in found.topics[topic].standing.values()
        for name, value in standing.items()
    )


async def keep(client: Client, servers: str, ledger: Ledger, now_ms: int) -> None:
    """Write the ledger, to Kafka first: worker and sink go by that."""
    documents = ledger_documents(ledger)
    writer = BatchWriter(servers)
    try:
        await writer.write(FORGOTTEN, 0, ledger_records(documents))
    finally:
        await writer.stop()
    client.insert("forgotten", ledger_rows(documents, now_ms), column_names=["digest", "document", "version"])


async def seal(client: Client, servers: str, now_ms: int) -> int:
    """Destroy the names of all who are forgotten; of how many. What is stored keeps them."""
    ledger = await both_ledgers(client, servers)
    sealed = {
        name: replace(person, times=tuple(replace(time, pseudonym=None) for time in person.times))
        for name, person in ledger.people.items()
        if person.done
    }
    await keep(client, servers, replace(ledger, people={**ledger.people, **sealed}), now_ms)
    return len(sealed)


def require_gone(client: Client, asked: Asked, before: Totals, after: Totals) -> None:
    """Nothing that is read names them any more, and no total has changed. Raises NotForgotten."""
    if before != after:
        changed = [name for name, total in before.items() if after[name] != total]
        raise NotForgotten(f"totals of {', '.join(changed)} have changed")
    left = tables.still_named(client, asked.keys)
    renaming = Renaming(dict.fromkeys(asked.keys, ""), Ledger())
    for topic in topics.COMPACTED:
        found = topics.look(
            asked.servers, topic, lambda key, value: renaming.found_in(key) or renaming.found_in(value)
        )
        left |= {topic: found.records} if found.records else {}
    if left:
        raise NotForgotten(f"they still stand in {', '.join(f'{n} of {name}' for name, n in left.items())}")
