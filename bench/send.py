"""One sender: all events to Kafka, confirmed. Which one, and how much of the way, by its arguments.

`Former` is what EventSender was until ADR 0018, without its answers to faults: aiokafka, and each record kept
until it is confirmed.
"""

import asyncio
import gc
import logging
import sys
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from rich.console import Console

from adapters.events.json_lines import read_events
from adapters.sending import producer
from adapters.sending.file_import import import_file
from adapters.sending.producer import EventSender, Offsets
from adapters.sending.progress_bar import ImportProgress
from adapters.sending.records import OutgoingRecord, event_record
from bench.events import load
from bench.meter import Stopwatch
from schemas.codec import decode, encode
from schemas.dead_letter import DeadLetter
from schemas.events import Event
from schemas.topics import CONTACT_EVENTS

FORMER, OURS = "aiokafka", "confluent-kafka"
RECORDS, EVENTS, IMPORT, PROCESSES = "records", "events", "import", "import by processes"
JSON_LINES = "events.jsonl"


class Former:
    """Sends by aiokafka, as EventSender did."""

    def __init__(self, servers: str, compression: str | None) -> None:
        self._servers, self._compression = servers, compression
        self._unconfirmed: dict[asyncio.Future[Any], OutgoingRecord] = {}
        self._offsets: Offsets = {}
        self._failed = 0
        self._progress = asyncio.Event()

    async def __aenter__(self) -> "Former":
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._servers,
            acks="all",
            enable_idempotence=True,
            linger_ms=20,
            max_batch_size=256 * 1024,
            compression_type=self._compression,
        )
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.flush()
        await self._producer.stop()

    async def send(self, event: Event) -> None:
        await self.send_record(event_record(event, encode))

    async def send_canonical(self, record: OutgoingRecord) -> None:
        await self.send_record(record)

    async def send_dead_letter(self, refused: DeadLetter) -> None:
        raise NotImplementedError

    async def send_record(self, record: OutgoingRecord) -> None:
        while len(self._unconfirmed) >= producer.IN_FLIGHT_MAX:
            self._progress.clear()
            await self._progress.wait()
        async with asyncio.timeout(producer.SAY_EVERY_S):
            future = await self._producer.send(record.topic, key=record.key, value=record.value)
        self._unconfirmed[future] = record
        future.add_done_callback(self._settled)

    def _settled(self, done: "asyncio.Future[Any]") -> None:
        del self._unconfirmed[done]
        self._progress.set()
        at = done.result()
        where = (at.topic, at.partition)
        self._offsets[where] = max(at.offset, self._offsets.get(where, -1))

    async def flush(self) -> Offsets:
        while self._unconfirmed:
            self._progress.clear()
            await self._progress.wait()
        return dict(self._offsets)


def sender_of(library: str, servers: str, compression: str | None) -> AbstractAsyncContextManager[Any]:
    """The sender that is measured."""
    if library == FORMER:
        return Former(servers, compression)
    producer.CLIENT["compression.type"] = compression or "none"
    return EventSender(servers, on_wait=lambda message: print(message, file=sys.stderr))


async def main(folder: Path, servers: str, library: str, what: str, compression: str | None) -> None:
    """Send everything."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    messages = load(folder).messages if what not in (IMPORT, PROCESSES) else []
    records = [OutgoingRecord(CONTACT_EVENTS, one.key, one.value) for one in messages]
    events = [decode(one.value) for one in messages] if what == EVENTS else []
    count = len(messages)
    gc.collect()
    gc.freeze()  # what is held here is not the sender's: the collector need not look at it again and again
    with Stopwatch() as used:
        async with sender_of(library, servers, compression) as sender:
            if what == RECORDS:
                for record in records:
                    await sender.send_record(record)
            elif what == EVENTS:
                for event in events:
                    await sender.send(event)
            else:
                quiet = ImportProgress(Console(stderr=True, force_terminal=False))
                reader = partial(read_events, secret=b"k")
                done = await import_file(folder / JSON_LINES, reader, sender, quiet, apart=what == PROCESSES)
                count = done.sent
    used.report(count, "")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:5], sys.argv[5] if len(sys.argv) > 5 else None))
