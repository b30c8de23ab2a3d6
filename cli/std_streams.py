"""Streams of the process: an encoding that cannot say something; what is closed, full or cut off.

Behind `| head` nobody reads any more: the command then ends at once and without a word, with the status that
a shell gives a program which died of SIGPIPE, and never with 1, which means "no" or "differs". Sockets break
as well, so the signal itself stays ignored.
"""

import io
import os
import signal
import sys
from contextlib import suppress
from typing import Any

CUT_OFF = 128 + signal.SIGPIPE


class Outlet(io.FileIO):
    """Where stdout goes. It raises SystemExit, which no library takes for an error, when it is cut off."""

    def write(self, data: Any) -> int:
        """Write, or end the command when nobody reads."""
        try:
            return super().write(data)
        except BrokenPipeError:
            silence(self.fileno())
            raise SystemExit(CUT_OFF) from None


def silence(descriptor: int) -> None:
    """What is written there from now on is lost: Python writes what is left at its end and would complain."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def mend_streams() -> None:
    """What cannot be said in the encoding of the terminal is written out; what is closed swallows."""
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 -- as long as we live
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(Outlet(sys.stdout.fileno(), "w", closefd=False)),
            encoding=sys.stdout.encoding,
            errors=sys.stdout.errors,
            line_buffering=sys.stdout.line_buffering,
        )


def flush() -> None:
    """Write out what was printed while errors can still be said; cut off, the command's status stands.

    Raises OSError.
    """
    try:
        with suppress(SystemExit):
            sys.stdout.flush()
    except OSError:
        silence(sys.stdout.fileno())
        raise
