"""A client of the event socket: it asks for the events of the call centre and of holds, and for no others."""

from collections.abc import Iterator
from itertools import count

from adapters.freeswitch.calls import Calls
from adapters.freeswitch.fields import Fields, from_headers, from_json
from adapters.freeswitch.reading import read_event
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, Skipped, reject
from adapters.kit.sessions import BrokenProtocol, Refused

FRAME_MAX_BYTES = 4_000_000
ASK = b"event json CHANNEL_HOLD CHANNEL_UNHOLD HEARTBEAT CUSTOM callcenter::info\n\n"
HEADERS_END = b"\n\n"


class SocketSession:
    """One connection: frames of headers up to an empty line, and a body of as many bytes as they say."""

    def __init__(self, calls: Calls, password: str, count: Iterator[int]) -> None:
        self.ready = False
        self._calls, self._password, self._count = calls, password, count
        self._buffer, self._send, self._let_in = b"", b"", False

    def answers(self) -> bytes:
        """What the last frames ask for."""
        send, self._send = self._send, b""
        return send

    def still_there(self) -> bytes:
        """A command that is answered by anyone who is there; it changes nothing."""
        return b"noop\n\n"

    def feed(self, data: bytes, received_ms: int) -> Iterator[LineOutcome]:
        """Outcomes of the frames that are complete. Raises Refused and BrokenProtocol."""
        self._buffer += data
        while (frame := self._frame()) is not None:
            outcome = self._outcome(*frame)
            if outcome is not None:
                yield outcome

    def _frame(self) -> tuple[Fields, bytes] | None:
        """The next frame; None while it is not complete."""
        buffer = self._buffer.lstrip(b"\n")
        end = buffer.find(HEADERS_END)
        if end < 0:
            if len(buffer) > FRAME_MAX_BYTES:
                raise BrokenProtocol("headers of the event socket without an end")
            return None
        fields = from_headers(buffer[:end].split(b"\n"))
        length, begin = fields.get("Content-Length", "0"), end + len(HEADERS_END)
        if not (length.isascii() and length.isdigit()) or int(length[:9]) > FRAME_MAX_BYTES:
            raise BrokenProtocol("a Content-Length of the event socket that is none")
        if len(buffer) < begin + int(length):
            return None
        self._buffer = buffer[begin + int(length) :]
        return fields, buffer[begin : begin + int(length)]

    def _outcome(self, headers: Fields, body: bytes) -> LineOutcome | None:
        kind = headers.get("Content-Type", "")
        if kind == "auth/request":
            self._send += f"auth {self._password}\n\n".encode()
        elif kind == "command/reply":
            self._reply(headers.get("Reply-Text", ""))
        elif kind == "text/rude-rejection":
            raise Refused(
                "the event socket does not let us in from here: see apply-inbound-acl in its settings"
            )
        elif kind == "text/event-json":
            return self._event(body)
        return None

    def _reply(self, text: str) -> None:
        """The answer to the password, then that to what was asked for."""
        if self.ready:
            return
        if not text.startswith("+OK"):
            raise Refused(f"the event socket does not let us in: {text[:100]}; look at its password")
        if self._let_in:
            self.ready = True
        else:
            self._let_in, self._send = True, self._send + ASK

    def _event(self, body: bytes) -> LineOutcome:
        number = next(self._count)
        try:
            told = read_event(self._calls, from_json(body))
        except InvalidInput as refused:
            return reject("freeswitch", number, refused, body)
        return Skipped(number, told) if isinstance(told, str) else Accepted(number, told, 0)


class SocketListener:
    """FreeSWITCH's event socket; open calls are remembered from one connection to the next."""

    def __init__(self, user: str, password: str, secret: bytes) -> None:
        self._calls, self._password = Calls(secret), password
        self._count = count(1)

    def session(self) -> SocketSession:
        """A new connection."""
        return SocketSession(self._calls, self._password, self._count)
