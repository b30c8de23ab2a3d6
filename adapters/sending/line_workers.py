"""Reading a large file in several processes: each decodes, checks and encodes some parts of it.

Parts go out and come back in the order of the file, so what is sent, and in which order, is the same as with
one process. A process has one part at a time. One that dies (no memory, say) is done without.
"""

import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Self

from adapters.kit.line_parts import Part, PartFile, parts_of
from adapters.kit.lines import LineFile
from adapters.kit.outcomes import LineOutcome
from adapters.sending.ready import Packed, Ready, packed, ready, unpacked

LARGE_BYTES = 64 * 1024 * 1024  # processes take a second of CPU to begin, in which one reads 15 MB
PROCESSES_MAX = 4  # one process can send what so many read
ENDS_S = 2.0
Reader = Callable[[LineFile], Iterator[LineOutcome]]


def processes_for(total_bytes: int | None) -> int:
    """How many processes are worth it: none where the file is small or a pipe, or there is one CPU."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if total_bytes is None or total_bytes < LARGE_BYTES or cpus < 2:
        return 0
    return min(cpus, PROCESSES_MAX)


def work(pipe: Connection, reader: Reader, name: str, keep_payloads: bool) -> None:
    """Read parts until nobody sends any more; the body of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; who reads us decides
    with suppress(EOFError, OSError):
        while True:
            part = pickle.loads(pipe.recv_bytes())  # noqa: S301 -- of our own parent, by a pipe of our own
            try:
                answer: list[Packed] | Exception = packed(reader(PartFile(name, part, keep_payloads)))
            except Exception as error:  # WrongFile; anything else is raised where it is seen, too
                answer = error
            pipe.send_bytes(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))


@dataclass
class Worker:
    """A process that reads, and the part that it has."""

    process: BaseProcess
    pipe: Connection
    part: Part


class Workers:
    """Processes that read one file; `with` ends them."""

    def __init__(self, reader: Reader, file: LineFile, count: int) -> None:
        self._reader, self._file, self._count = reader, file, count
        self._name, self._keep = file.name, file.keep_payloads
        self._busy: deque[Worker] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._busy:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._busy:
            worker.process.join(ENDS_S)
        self._busy.clear()

    def outcomes(self) -> Iterator[tuple[Ready, int]]:
        """What each line gives, and how far into the file its part is. Raises as the reader."""
        for part in parts_of(self._file):
            if len(self._busy) < self._count:
                self._busy.append(self._started(part))
                continue
            worker = self._busy[0]
            yield from self._answer(worker, part)
        while self._busy:
            yield from self._answer(self._busy[0], None)

    def _started(self, part: Part) -> Worker:
        context = get_context("spawn")  # a copy of this process would have its threads' locks and no threads
        ours, theirs = context.Pipe()
        process = context.Process(
            target=work, args=(theirs, self._reader, self._name, self._keep), daemon=True
        )
        process.start()
        theirs.close()  # so that it ends when we do
        worker = Worker(process, ours, part)
        self._give(worker, part)
        return worker

    @staticmethod
    def _give(worker: Worker, part: Part) -> None:
        worker.part = part
        with suppress(OSError):  # it is dead: that is seen when its answer is waited for
            worker.pipe.send_bytes(pickle.dumps(part, pickle.HIGHEST_PROTOCOL))

    def _answer(self, worker: Worker, following: Part | None) -> Iterator[tuple[Ready, int]]:
        """What the oldest part gives; the process gets the following one, or ends, before it is looked at."""
        part, answer = worker.part, self._received(worker)
        self._busy.popleft()
        if following is not None and answer is not None:
            self._give(worker, following)
            self._busy.append(worker)
        else:
            worker.pipe.close()
            worker.process.join(ENDS_S)
            if following is not None:
                self._busy.append(self._started(following))
        if answer is None:
            found: Iterator[Any] = map(ready, self._reader(PartFile(self._name, part, self._keep)))
        elif isinstance(answer, Exception):
            raise answer
        else:
            found = map(unpacked, answer)
        for item in found:
            yield item, part.bytes_read

    @staticmethod
    def _received(worker: Worker) -> "list[Packed] | Exception | None":
        """The answer of a process; None where it is dead."""
        try:
            answer: list[Packed] | Exception = pickle.loads(worker.pipe.recv_bytes())  # noqa: S301 -- as above
        except (EOFError, OSError):
            return None
        return answer


def read_outcomes(file: LineFile, reader: Reader, workers: Workers | None) -> Iterator[tuple[Ready, int]]:
    """What each line of a file gives, and how far into the file it is. Raises WrongFile, OSError."""
    if workers is not None:
        yield from workers.outcomes()
        return
    for outcome in reader(file):
        yield ready(outcome), file.bytes_read
