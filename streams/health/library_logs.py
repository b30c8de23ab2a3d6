"""Keeps the Kafka client libraries from flooding the log while a broker is away."""

import logging
import time

REPEAT_AFTER_S = 30.0
LIBRARIES = ("faust", "mode", "aiokafka")


class Seldom(logging.Filter):
    """Lets the same message through once in a while: a client that retries repeats it ten times a second."""

    def __init__(self, expected: tuple[type[BaseException], ...]) -> None:
        super().__init__()
        self._expected = expected
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Has this message (by its template) not been seen lately?"""
        if record.exc_info and isinstance(record.exc_info[1], self._expected):
            return False  # our own lines say so
        now = time.monotonic()
        if now - self._last.get(str(record.msg), -REPEAT_AFTER_S) < REPEAT_AFTER_S:
            return False
        self._last[str(record.msg)] = now
        return True


def quieten_libraries(*expected: type[BaseException]) -> None:
    """Warnings only (debug records are built before they are dropped: 10 % of the time), each seldom.

    Nothing of errors that are `expected`.
    """
    seldom = Seldom(expected)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in LIBRARIES:
            logging.getLogger(name).addFilter(seldom)
