"""Reading what an AMI session sent, recorded as it came."""

import re
from collections.abc import Iterator
from datetime import datetime

from adapters.app_queue.facts import SECOND_MS
from adapters.asterisk_ami.ami import Ami, ami
from adapters.asterisk_ami.blocks import NAME, Block, parse_block, time_ms
from adapters.asterisk_ami.translate import HANDLERS
from adapters.kit.lines import Line, LineFile
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, WrongFile, reject
from schemas.events import Event

BLOCK_MAX = 2_000
BEGINS = (b"Asterisk Call Manager/", b"Event:", b"Response:")
# A recording may have been cut anywhere: what else a line of a block begins with.
FIELDS = (
    b"Privilege:",
    b"Timestamp:",
    b"SystemName:",
    b"Channel",
    b"CallerID",
    b"ConnectedLine",
    b"Uniqueid:",
)
# Agents' names and extensions stand in the fields of names, and in those of connected lines.
CUSTOMER = re.compile(rb"(?:Transferee)?CallerIDNum: ?([^\r\n]+)")
NOBODY = "<unknown>"


def customers_of(line: bytes) -> tuple[str, ...]:
    """Raw identifiers of customers in a line."""
    found = (raw.decode("utf-8", "replace").strip() for raw in CUSTOMER.findall(line))
    return tuple(raw for raw in found if raw and raw != NOBODY)


def read_block(state: Ami, block: Block, received: datetime | None = None) -> tuple[Event, ...] | str:
    """The events of a block, or by a word why it has none by its nature. Raises InvalidInput.

    Unless it says when it happened, that was when it was received; a recording does not know that.
    """
    state.events = []
    note_restart(state, block, received)
    handler = HANDLERS.get(block.get("Event", ""))
    if handler is None:
        return tuple(state.events) or "ignored"
    try:
        handler(state, block, time_ms(block, received))
    except BaseException:
        state.log.take()
        raise
    return tuple(state.events) or "nothing new"


def note_restart(state: Ami, block: Block, received: datetime | None) -> None:
    """FullyBooted, which comes first in a session: calls of before Asterisk was started are over.

    It tells no time itself, but for how long Asterisk has run at the time of the next block that tells one.
    """
    if block.get("Event") == "FullyBooted" and block.get("Uptime", "").isdecimal():
        state.state.uptime_s = int(block["Uptime"])
    if state.state.uptime_s is None or not (block.get("Timestamp") or received):
        return
    started_ms = time_ms(block, received) - state.state.uptime_s * SECOND_MS
    state.state.uptime_s = None
    if any(call.open and call.last_ms < started_ms for call in state.log.state.calls.values()):
        state.say(started_ms, "NONE", {}, "QUEUESTART")


class AmiFile:
    """A reader that remembers open calls from one file to the next."""

    def __init__(self, state: Ami | None = None) -> None:
        self._state = state

    def __call__(self, file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
        """Outcomes of a file's blocks. Raises WrongFile before the first where it is none of AMI."""
        self._state = self._state or ami(secret)
        lines, first, block = iter(file), True, list[bytes]()
        line = None
        for line in lines:
            if first and (line.data.strip() or line.problem):
                check_first(file, line)
                first = False
            if line.problem or (line.data.strip() and not fits(line.data, block)):
                detail = line.problem or "no_event: the line is no `Name: value`"
                refused = InvalidInput(*detail.split(": ", 1))
                yield reject(file.name, line.number, refused, line.data, file.keep_payloads)
            elif line.data.strip():
                block.append(line.data)
            elif block:
                yield self._outcome(file, line, block)
                block = []
        if first:
            check_first(file, None)
        if block and line:
            yield self._outcome(file, line, block)

    def _outcome(self, file: LineFile, line: Line, lines: list[bytes]) -> LineOutcome:
        assert self._state is not None
        try:
            told = read_block(self._state, parse_block(lines))
        except InvalidInput as refused:
            return reject(file.name, line.number, refused, b"\n".join(lines), file.keep_payloads)
        if isinstance(told, str):
            return Skipped(line.number, told)
        return Accepted(line.number, told, file.bytes_read)


def fits(data: bytes, block: list[bytes]) -> bool:
    """Is it a line of a block? The greeting stands before the first one."""
    return len(block) < BLOCK_MAX and bool(NAME.match(data) or data.startswith(BEGINS))


def check_first(file: LineFile, line: Line | None) -> None:
    """Is the file a recorded AMI session? Raises WrongFile, without the line: it may name a customer."""
    if line is None or line.problem or not line.data.startswith(BEGINS + FIELDS):
        raise WrongFile(
            f"{file.name} is no recorded session of Asterisk's AMI: it does not begin with its greeting, "
            "`Event: ` or `Response: `"
        )


def read_ami(file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
    """Outcomes of a file on its own."""
    return AmiFile()(file, secret)
