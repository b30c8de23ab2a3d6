"""Systems that tell of events over a connection that is kept open: their protocols, without any I/O.

A listener remembers what is open from one connection to the next; a session is one connection's protocol.
What happens while nobody is connected is not told again.
"""

import random
from collections.abc import Callable, Iterator
from typing import Protocol

from adapters.kit.outcomes import LineOutcome

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0


class Refused(PermissionError):
    """The system does not let us in: trying again would not help."""


class BrokenProtocol(ConnectionError):
    """What came is not what the protocol says; the connection is of no use any more."""


class Session(Protocol):
    """One connection."""

    @property
    def ready(self) -> bool:
        """Are we let in, and are events being told?"""

    def feed(self, data: bytes, received_ms: int) -> Iterator[LineOutcome]:
        """What the bytes that came tell, as lines of a file do. Raises Refused and BrokenProtocol."""

    def answers(self) -> bytes:
        """What is to be sent now; empty for nothing."""

    def still_there(self) -> bytes:
        """What to send when nothing was heard for a while, so that a dead connection is noticed."""


class Listener(Protocol):
    """A source that is listened to."""

    def __init__(self, user: str, password: str, secret: bytes) -> None:
        """`secret` is the key of the hashes of customers."""

    def session(self) -> Session:
        """A new connection begins."""


NewListener = Callable[[str, str, bytes], Listener]


def waits(chance: random.Random) -> Iterator[float]:
    """Seconds between two attempts to connect: twice as long each time, and never quite the same."""
    longest = FIRST_WAIT_S
    while True:
        yield chance.uniform(longest / 2, longest)
        longest = min(longest * 2, LONGEST_WAIT_S)
