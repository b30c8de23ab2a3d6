"""The command `ringback` inside the process of the tests, as it is in one of its own, but started at once."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from unittest.mock import patch

import stamina
import structlog
from support.stack import own_environment

from cli import console, main

WIDE = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    status: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """All that it printed."""
        return self.stdout + self.stderr


def ringback(*args: str, **env: str) -> Ended:
    """Run a command in the present folder; `env` is all the settings it sees. What it raises is raised."""
    printed, said = (TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    environment = patch.dict(os.environ, own_environment() | WIDE | env, clear=True)
    status = 0
    argv = patch.object(sys, "argv", ["ringback", *args])
    with environment, argv, redirect_stdout(printed), redirect_stderr(said), a_process():
        try:
            main.run()
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else int(left.code is not None)
    return Ended(status, *(text.buffer.getvalue().decode() for text in (printed, said)))


@contextmanager
def a_process() -> Iterator[None]:
    """Settings are read anew, warnings of libraries go to stderr, and nothing of it stays for other tests."""
    before = levels()
    # uvloop leaves its own behind, and only the main thread has them.
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    last_resort = logging.StreamHandler(sys.stderr)
    last_resort.setLevel(logging.WARNING)
    logging.root.addHandler(last_resort)
    console.settings.cache_clear()
    try:
        yield
    finally:
        console.settings.cache_clear()
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)
        structlog.reset_defaults()
        stamina.instrumentation.set_on_retry_hooks(None)
        logging.root.removeHandler(last_resort)
        for name in levels():
            logging.getLogger(name).setLevel(before.get(name, logging.NOTSET))


def levels() -> dict[str, int]:
    """What every logger lets through."""
    known = logging.root.manager.loggerDict
    return {name: one.level for name, one in known.items() if isinstance(one, logging.Logger)}
