"""What was said of journeys, on disk: a process that is started anew knows the contacts that are under way.

A line a fact, with the second in which it came; customers stand in it as hashes. Lines older than two days
are left out when it is opened, and whenever it has grown to twice its size.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

KEEP_S = 2 * 86_400
COMPACT_BYTES = 64_000_000


class Journal:
    """An append file of JSON lines. Raises OSError where it cannot be kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._compact()

    def lines(self) -> Iterator[dict[str, Any]]:
        """What was written, the oldest first; a line that was cut is left out."""
        if not self._path.exists():
            return
        oldest = time.time() - KEEP_S
        with self._path.open("rb") as file:
            for line in file:
                try:
                    found = orjson.loads(line)
                    if found["seen"] >= oldest:
                        yield found
                except (orjson.JSONDecodeError, KeyError, TypeError):
                    continue

    def _compact(self) -> None:
        """Write anew what is not too old."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        with fresh.open("wb") as file:
            for found in self.lines():
                file.write(orjson.dumps(found, option=orjson.OPT_APPEND_NEWLINE))
        fresh.replace(self._path)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._size = self._path.stat().st_size
        self._limit = max(COMPACT_BYTES, 2 * self._size)

    def add(self, **said: Any) -> None:
        """Write a line; the process may be killed from then on."""
        line = orjson.dumps(said | {"seen": int(time.time())}, option=orjson.OPT_APPEND_NEWLINE)
        os.write(self._file, line)
        self._size += len(line)
        if self._size > self._limit:
            os.close(self._file)
            self._compact()
