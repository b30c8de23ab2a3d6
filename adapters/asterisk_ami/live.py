"""A read-only client of AMI: log in, and read blocks. It never sends an action that changes anything."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

from adapters.asterisk_ami.ami import Ami, ami
from adapters.asterisk_ami.blocks import parse_block
from adapters.asterisk_ami.file import BLOCK_MAX, read_block
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, reject
from adapters.kit.sessions import BrokenProtocol, Refused

GREETING = b"Asterisk Call Manager/"
LINE_MAX_BYTES = 65_536
LOGIN, PING = "1", "2"


class AmiSession:
    """One connection; blocks are numbered over all connections of a listener."""

    def __init__(self, state: Ami, user: str, password: str, count: Iterator[int]) -> None:
        self.ready = False
        self._state, self._count = state, count
        self._buffer, self._block = b"", list[bytes]()
        login = (
            "Action: Login",
            f"ActionID: {LOGIN}",
            f"Username: {user}",
            f"Secret: {password}",
            "Events: on",
        )
        self._send = "\r\n".join((*login, "", "")).encode()

    def answers(self) -> bytes:
        """The login, once."""
        send, self._send = self._send, b""
        return send

    def still_there(self) -> bytes:
        """An action that is answered by anyone who is there."""
        return f"Action: Ping\r\nActionID: {PING}\r\n\r\n".encode()

    def feed(self, data: bytes, received_ms: int) -> Iterator[LineOutcome]:
        """Outcomes of the blocks that are complete. Raises Refused and BrokenProtocol."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        if len(self._buffer) > LINE_MAX_BYTES:
            raise BrokenProtocol("a line of AMI without an end")
        for line in lines:
            line = line.rstrip(b"\r")
            if line:
                if not line.startswith(GREETING) and len(self._block) < BLOCK_MAX:
                    self._block.append(line)
            elif self._block:
                block, self._block = self._block, []
                outcome = self._outcome(block, received_ms)
                if outcome is not None:
                    yield outcome

    def _outcome(self, lines: list[bytes], received_ms: int) -> LineOutcome | None:
        block = parse_block(lines)
        if "Event" not in block:
            self._response(block)
            return None
        number = next(self._count)
        try:
            told = read_block(self._state, block, datetime.fromtimestamp(received_ms / 1000, UTC))
        except InvalidInput as refused:
            return reject("asterisk_ami", number, refused, b"\n".join(lines))
        return Skipped(number, told) if isinstance(told, str) else Accepted(number, told, 0)

    def _response(self, block: dict[str, str]) -> None:
        """The answer to the login; that to a ping only shows that somebody is there."""
        if self.ready or block.get("ActionID", LOGIN) != LOGIN:
            return
        if block.get("Response") != "Success":
            raise Refused(
                f"AMI does not let us in: {block.get('Message', 'no reason given')}; look at the user, its "
                "secret and its permit lines in manager.conf"
            )
        self.ready = True


class AmiListener:
    """Asterisk's AMI; open calls are remembered from one connection to the next."""

    def __init__(self, user: str, password: str, secret: bytes) -> None:
        self._state, self._user, self._password = ami(secret), user, password
        self._count = count(1)

    def session(self) -> AmiSession:
        """A new connection."""
        return AmiSession(self._state, self._user, self._password, self._count)
