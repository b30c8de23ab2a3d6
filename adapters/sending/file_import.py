"""Importing a file: read, validate, send. Running the same import again counts nothing twice."""

import asyncio
import hashlib
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from adapters.kit.lines import LineFile, open_lines
from adapters.kit.outcomes import Accepted, LineOutcome, Skipped
from adapters.sending.producer import Offsets
from adapters.sending.progress_bar import ImportProgress
from schemas.codec import encode
from schemas.dead_letter import DeadLetter
from schemas.events import AgentStateChanged, Event, SourceHeartbeat

# Two generations of this many 16-byte hashes, some 200 MB when full. A repetition further back than that is
# sent, which costs time and no truth: the stream counts every event once.
SEEN_MAX = 1_000_000
HASH_BYTES = 16
BREATHE_EVERY = 256  # lines between two chances for sending and for Ctrl-C
Reader = Callable[[LineFile], Iterator[LineOutcome]]


class Sender(Protocol):
    """What an import needs of adapters.sending.producer.EventSender."""

    async def send(self, event: Event) -> None:
        """Hand an event over; it may wait until Kafka has taken others."""

    async def send_dead_letter(self, refused: DeadLetter) -> None:
        """Hand the dead letter of a refused line over."""

    async def flush(self) -> Offsets:
        """Wait until all is confirmed."""


@dataclass
class Seen:
    """Has this been seen before? Remembers the last SEEN_MAX to 2 x SEEN_MAX distinct things."""

    limit: int = SEEN_MAX
    recent: set[bytes] = field(default_factory=set)
    older: set[bytes] = field(default_factory=set)

    def add(self, content: bytes) -> bool:
        """Remember it; True if it was known."""
        digest = hashlib.blake2b(content, digest_size=HASH_BYTES).digest()
        if digest in self.recent:
            return True
        known = digest in self.older
        if len(self.recent) >= self.limit:
            self.older, self.recent = self.recent, set()
        self.recent.add(digest)
        return known


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a file. `duplicates` are events that the file holds twice, to the last byte.

    An event that comes again with other content (a correction) is sent and counted in `sent`. `beside` are
    those of `sent` that are of no contact: agents' states and heartbeats, which go to topics of their own.
    """

    sent: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    skipped: int = 0
    contacts: int = 0
    last_offsets: Offsets = field(default_factory=dict)
    beside: int = 0


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during an import: what was sent is confirmed, the message says how to go on."""

    def __init__(self, result: ImportResult, name: str) -> None:
        super().__init__(
            f"interrupted: {result.sent} events of {name} are sent. To go on run the same command again; "
            "events that were sent already are not counted twice"
        )
        self.result = result


class Counter:
    """The running counts of an import."""

    def __init__(self) -> None:
        self.sent = self.duplicates = self.dead_letters = self.skipped = self.contacts = self.beside = 0
        self._events, self._contacts = Seen(), Seen()

    def is_new(self, event: Event) -> bool:
        """Count an event; False if the file had the very same one before."""
        if self._events.add(encode(event)):
            self.duplicates += 1
            return False
        self.sent += 1
        if isinstance(event, AgentStateChanged | SourceHeartbeat):
            self.beside += 1
        else:
            self.contacts += not self._contacts.add(event.contact_id.encode())
        return True

    def result(self, offsets: Offsets) -> ImportResult:
        """What the import has come to, with the offsets that Kafka has confirmed."""
        return ImportResult(
            self.sent, self.duplicates, self.dead_letters, self.skipped, self.contacts, offsets, self.beside
        )


@contextmanager
def stop_on_sigint() -> Iterator[asyncio.Event]:
    """An event that Ctrl-C sets, so that it cannot strike in the middle of a send; a second one strikes."""
    asked, loop = asyncio.Event(), asyncio.get_running_loop()

    def ask() -> None:
        asked.set()
        loop.remove_signal_handler(signal.SIGINT)

    # Outside of the main thread, and on Windows, Ctrl-C stays what it is.
    with suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.remove_signal_handler(signal.SIGINT)


async def take(item: LineOutcome, sender: Sender, counter: Counter) -> None:
    """Send what a line gives."""
    if isinstance(item, Accepted):
        for event in item.events:
            if counter.is_new(event):
                await sender.send(event)
    elif isinstance(item, DeadLetter):
        counter.dead_letters += 1
        await sender.send_dead_letter(item)
    elif isinstance(item, Skipped):
        counter.skipped += 1


async def import_file(
    path: str | Path,
    reader: Reader,
    sender: Sender,
    progress: ImportProgress,
    keep_payloads: bool = False,
) -> ImportResult:
    """Send the events of a file and wait until Kafka has them; refused lines as they are only if asked for.

    Every event is validated before it is sent. Raises WrongFile before anything is sent if the file is of
    another kind, OSError if it cannot be opened, Interrupted on Ctrl-C, NotSent if Kafka stays away.
    """
    counter = Counter()
    with (
        open_lines(path, keep_payloads) as file,
        progress.of(file.name, file.total_bytes),
        stop_on_sigint() as asked,
    ):
        for number, item in enumerate(reader(file)):
            await take(item, sender, counter)
            if number % BREATHE_EVERY == 0:
                progress.update(number, file.bytes_read)
                await asyncio.sleep(0)
            if asked.is_set():
                raise Interrupted(counter.result(await sender.flush()), file.name)
        return counter.result(await sender.flush())
