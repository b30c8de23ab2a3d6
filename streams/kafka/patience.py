"""Patience with what is away: try again, say once what is waited for, and once that it goes on."""

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

import stamina
import structlog

T = TypeVar("T")
Passes = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]
log = structlog.get_logger()
RETRY_S = 1.0


class Notice:
    """What the log is told of a wait: a warning for each new reason, one line when it is over.

    `fields` stand in every line, such as the address that does not answer.
    """

    def __init__(self, waiting: str, over: str, **fields: Any) -> None:
        self._waiting = waiting
        self._over = over
        self._fields = fields
        self._said: set[Hashable] = set()
        self._since = time.monotonic()

    @property
    def given(self) -> bool:
        """Has anything been waited for?"""
        return bool(self._said)

    def waits(self, error: str, reason: Hashable = None) -> None:
        """It is still away, for this reason; said once for each."""
        if reason not in self._said:
            log.warning(self._waiting, **self._fields, error=error)
            self._said.add(reason)

    def over(self) -> None:
        """It answers; said where a wait was."""
        if self._said:
            log.info(self._over, **self._fields, waited_s=round(time.monotonic() - self._since, 1))


async def patiently(
    attempt: Callable[[], Awaitable[T]],
    passes: Passes,
    notice: Notice,
    first_wait_s: float | None = None,
    longest_wait_s: float | None = None,
    limit_s: float | None = None,
) -> T:
    """The result of an attempt, made again for as long as it raises what passes by itself: every RETRY_S, if
    nothing else is said.

    Raises what does not pass at once, and after `limit_s`, where that is given, also what does.
    """
    async for trial in stamina.retry_context(
        on=passes,
        attempts=None,
        timeout=limit_s,
        wait_initial=RETRY_S if first_wait_s is None else first_wait_s,
        wait_max=RETRY_S if longest_wait_s is None else longest_wait_s,
        wait_jitter=0,
    ):
        with trial:
            try:
                result = await attempt()
            except Exception as error:
                if may_pass(error, passes):
                    notice.waits(str(error))
                raise
    notice.over()
    return result


def may_pass(error: Exception, passes: Passes) -> bool:
    """Is it worth to try again after this error?"""
    return isinstance(error, passes) if isinstance(passes, type | tuple) else passes(error)
