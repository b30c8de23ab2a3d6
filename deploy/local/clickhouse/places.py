"""Room for requests: each user has threads and places of its own, so that BI never takes the sink's."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from deploy.local.clickhouse.access import CORES
from deploy.local.clickhouse.errors import TOO_MANY_SIMULTANEOUS_QUERIES, refused
from deploy.local.clickhouse.users import User

ASK_AGAIN_S = 0.5
T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """How much one process takes on: queries and requests of a user at once, and what a body may be."""

    threads: int = 8
    # Of who may only read. What they ask more waits its turn, so that inserts of the sink find a core.
    reading_threads: int = max(2, min(CORES, 8))
    requests: int = 64
    body_bytes: int = 1 << 30
    chunk_s: float = 30.0  # without a byte of a body that has not ended
    body_s: float = 600.0


class Places:
    """The threads of each user, and who is in the house."""

    def __init__(self, users: Mapping[str, User], limits: Limits) -> None:
        self._limits = limits
        self._pools = {
            name: ThreadPoolExecutor(
                limits.reading_threads if user.read_only else limits.threads, f"query-{name}"
            )
            for name, user in users.items()
        }
        # Queries are ended by a thread of its own: all others may be taken.
        self._killer = ThreadPoolExecutor(1, "kill")
        self._open: Counter[str] = Counter()
        self._idle = asyncio.Event()

    @contextlib.contextmanager
    def taken(self, user: str) -> Iterator[None]:
        """Hold one place of a user. Raises QueryError (503) when all are taken."""
        if self._open[user] >= self._limits.requests:
            raise refused(
                TOO_MANY_SIMULTANEOUS_QUERIES,
                f"Too many simultaneous requests. Maximum: {self._limits.requests}. Try again in a second.",
            )
        self._open[user] += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._open[user] -= 1
            if not self._open.total():
                self._idle.set()

    async def drained(self, timeout_s: float) -> None:
        """Return once no request is open, or when the time is over."""
        if self._open.total():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), timeout_s)

    async def run(self, user: str, work: Callable[[], T], kill: Callable[[], None] | None) -> T:
        """Do work in a thread of a user. When the client goes meanwhile, `kill` is called until it has ended.

        Without `kill` it is done to the end: what a client has sent completely is stored.
        """
        thread = self._pools[user].submit(work)
        future = asyncio.wrap_future(thread)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if kill is None or not thread.cancel():  # a thread has begun
                while not future.done():
                    if kill is not None:
                        await asyncio.get_running_loop().run_in_executor(self._killer, kill)
                    await asyncio.wait({future}, timeout=ASK_AGAIN_S)
            with contextlib.suppress(Exception, asyncio.CancelledError):
                await future  # nobody is there to be told
            raise

    def close(self) -> None:
        """Begin nothing any more."""
        for pool in (*self._pools.values(), self._killer):
            pool.shutdown(wait=False, cancel_futures=True)
