"""Importing a file: read, validate, send. Running the same import again counts nothing twice."""

import asyncio
import hashlib
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, Self

from adapters.kit.lines import open_lines
from adapters.kit.outcomes import Skipped, WrongFile
from adapters.sending.line_workers import Reader, Workers, processes_for, read_outcomes
from adapters.sending.producer import Offsets
from adapters.sending.progress_bar import ImportProgress
from adapters.sending.ready import Ready
from adapters.sending.records import OutgoingRecord
from schemas.dead_letter import DeadLetter
from schemas.topics import CONTACT_EVENTS

# Two generations of this many 16-byte hashes, some 200 MB when full. A repetition further back than that is
# sent, which costs time and no truth: the stream counts every event once.
SEEN_MAX = 1_000_000
HASH_BYTES = 16
GRACE_S = 3.0
REFUSED_LINES = 10_000
BREATHE_EVERY = 256  # lines between two chances for sending and for Ctrl-C


class CanonicalSender(Protocol):
    """What an import needs of adapters.sending.producer.EventSender."""

    async def send_canonical(self, record: OutgoingRecord) -> None:
        """Hand an event over, its canonical bytes as value; it may wait until Kafka has taken others."""

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


class TooManyRefused(WrongFile):
    """So many lines are no events that the file is no file for this command, or damaged."""


class Refusals:
    """Watches how dense refused lines are, so that a wrong file does not fill the dead letters.

    The first ones are sent all the same: a person needs to see what is wrong.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._count, self._since = 0, 1

    def add(self, letter: DeadLetter) -> None:
        """Note a refused line. Raises TooManyRefused when more than half of 10,000 lines are."""
        self._count += 1
        if self._count * 2 <= REFUSED_LINES:
            return
        if letter.position - self._since < REFUSED_LINES:
            raise TooManyRefused(
                f"{self._name}: more than half of {REFUSED_LINES:,} lines are refused, the last for "
                f"{letter.reason} ({letter.detail[:200]}), so the import ended at line {letter.position:,}. "
                "Is it a file for this command? `ringback adapter check` says more; mend it, import it again"
            )
        self._count, self._since = 0, letter.position


class Counter:
    """The running counts of an import."""

    def __init__(self) -> None:
        self.sent = self.duplicates = self.dead_letters = self.skipped = self.contacts = self.beside = 0
        self._events, self._contacts = Seen(), Seen()

    def is_new(self, record: OutgoingRecord) -> bool:
        """Count an event; False if the file had the very same one before."""
        if self._events.add(record.value):
            self.duplicates += 1
            return False
        self.sent += 1
        if record.topic == CONTACT_EVENTS:
            self.contacts += not self._contacts.add(record.key)
        else:
            self.beside += 1
        return True

    def result(self, offsets: Offsets) -> ImportResult:
        """What the import has come to, with the offsets that Kafka has confirmed."""
        return ImportResult(
            self.sent, self.duplicates, self.dead_letters, self.skipped, self.contacts, offsets, self.beside
        )


class CtrlC:
    """Ctrl-C during an import: it strikes while lines are read, and waits until a record is handed over.

    A read may last for ever (a pipe, a file without line ends) and nothing is half done meanwhile; in the
    middle of a send it would leave open what was sent. One that stands still, since Kafka is away, is
    given up after GRACE_S. A second Ctrl-C is Python's own.
    """

    def __init__(self) -> None:
        self.asked = self.reading = False
        self._before: Any = None
        self._loop = asyncio.get_running_loop()
        self._task: Any = asyncio.current_task()

    def __enter__(self) -> Self:
        # Outside of the main thread Ctrl-C stays what it is.
        with suppress(ValueError):
            self._before = signal.signal(signal.SIGINT, self._strike)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _restore(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _strike(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        self._restore()
        if self.reading:
            raise KeyboardInterrupt
        self._loop.call_soon_threadsafe(self._loop.call_later, GRACE_S, self._task.cancel)

    @contextmanager
    def while_reading(self) -> Iterator[None]:
        """Ctrl-C may strike in this block, which sends nothing."""
        self.reading = True
        try:
            if self.asked:
                raise KeyboardInterrupt
            yield
        finally:
            self.reading = False


async def take(item: Ready, sender: CanonicalSender, counter: Counter) -> None:
    """Send what a line gives."""
    if isinstance(item, tuple):
        for record in item:
            if counter.is_new(record):
                await sender.send_canonical(record)
    elif isinstance(item, DeadLetter):
        counter.dead_letters += 1
        await sender.send_dead_letter(item)
    elif isinstance(item, Skipped):
        counter.skipped += 1


async def import_file(
    path: str | Path,
    reader: Reader,
    sender: CanonicalSender,
    progress: ImportProgress,
    keep_payloads: bool = False,
    apart: bool = False,
) -> ImportResult:
    """Send the events of a file and wait until Kafka has them; refused lines as they are only if asked for.

    `apart`: lines mean something each by itself (adapters.kit.source), so a large file is read in several
    processes, and the reader has to be one that can be sent to them. Every event is validated before it is
    sent. Raises WrongFile before anything is sent if the file is of another kind, and later if most of its
    lines are refused, OSError if it cannot be opened, Interrupted on Ctrl-C, NotSent if Kafka stays away.
    """
    counter, name = Counter(), Path(path).name
    with CtrlC() as ctrl_c, ExitStack() as closing:
        try:
            with ctrl_c.while_reading():
                file = closing.enter_context(open_lines(path, keep_payloads))
            name = file.name
            closing.enter_context(progress.of(name, file.total_bytes))
            number = processes_for(file.total_bytes) if apart else 0
            workers = closing.enter_context(Workers(reader, file, number)) if number else None
            outcomes = read_outcomes(file, reader, workers)
            await send_all(file.name, outcomes, sender, progress, counter, ctrl_c)
        except (KeyboardInterrupt, asyncio.CancelledError):
            if not ctrl_c.asked:
                raise
            raise Interrupted(counter.result(await confirmed(sender)), name) from None
        except TooManyRefused as error:
            result = counter.result(await sender.flush())
            raise WrongFile(f"{error}; {result.sent:,} events of it are sent") from None
        return counter.result(await sender.flush())


async def confirmed(sender: CanonicalSender) -> Offsets:
    """What Kafka has confirmed of all that was sent; nothing where it does not answer soon."""
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            return await sender.flush()
    return {}


async def send_all(
    name: str,
    outcomes: Iterator[tuple[Ready, int]],
    sender: CanonicalSender,
    progress: ImportProgress,
    counter: Counter,
    ctrl_c: CtrlC,
) -> None:
    """Read and send to the end. Raises KeyboardInterrupt between two records, TooManyRefused."""
    refusals = Refusals(name)
    for number in count():
        with ctrl_c.while_reading():
            found = next(outcomes, None)
        if found is None:
            return
        item, bytes_read = found
        if isinstance(item, DeadLetter):
            refusals.add(item)
        await take(item, sender, counter)
        if number % BREATHE_EVERY == 0:
            progress.update(number, bytes_read)
            await asyncio.sleep(0)
