"""A child process that writes to a log file, ends with us, and stops in bounded time."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from deploy.local import launch
from deploy.local.errors import LocalStackError

LOG_LIMIT_BYTES = 10_000_000
TAIL_BYTES = 16_000


@dataclass(frozen=True)
class Command:
    """What to run, and where its output goes. `env` adds to our own environment."""

    argv: Sequence[str]
    log_path: Path
    env: Mapping[str, str] = field(default_factory=dict)
    stop_limit_ms: int = 10_000


class ChildProcess:
    """A running command. It must be started by a thread that lives as long as the child should.

    Linux kills the child when the starting thread ends, which is how a killed parent leaves no orphan.
    On macOS nothing does that: a child outlives a parent that was killed with SIGKILL.
    Raises LocalStackError when the log file cannot be written.
    """

    def __init__(self, command: Command) -> None:
        self.command = command
        self._swept = False
        launcher = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid())]
        with _open_log(command.log_path) as log:
            self._process = subprocess.Popen(
                [*launcher, *command.argv],
                env={**os.environ, **command.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Its own session: Ctrl-C reaches us alone, and we stop the parts in the right order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit status, negative for a signal, None while it runs."""
        return self._process.poll()

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end (SIGTERM); after `stop_limit_ms` kill it with everything it started."""
        if self.alive():
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self.command.stop_limit_ms / 1000)
        self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL), with every process of its session that is left."""
        if not self._swept:
            # Once: later the number may belong to somebody else. macOS answers EPERM for a group of zombies.
            self._swept = True
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def log_tail(path: Path, lines: int = 5) -> str:
    """The last lines of a log file, for an error message; empty when there are none.

    Indented lines are left out: they are stack frames, which would crowd out what they belong to.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    said = [line for line in text.splitlines() if line and not line[0].isspace()]
    return "\n".join(said[-lines:])


def _open_log(path: Path) -> BinaryIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One older file is kept: enough to look back, and bounded over many starts.
        if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
            path.replace(path.with_name(path.name + ".1"))
        return path.open("ab")
    except OSError as error:
        raise LocalStackError(
            f"log file {path} cannot be written: {error.strerror}",
            "make its folder writable, or set RINGBACK_DATA_DIR to another folder",
        ) from error
