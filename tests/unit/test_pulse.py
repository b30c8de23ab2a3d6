"""A part that hangs is started again by the supervisor, one that is slow is not."""

import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from deploy.local import pulse
from deploy.local.child import ChildProcess, Command
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.pulse import SILENT_MAX, Pulse, http_answers
from deploy.local.supervisor import Handle, RestartPolicy, Service, Supervisor

FAST = RestartPolicy(first_wait_ms=10, longest_wait_ms=40, steady_ms=1, ask_every_s=0.05)
LIMIT_S = 30


def until(condition: object, limit_s: float = LIMIT_S) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def test_a_part_that_is_stopped_is_started_again(tmp_path: Path) -> None:
    port, lines, children = free_port(), [], []
    pulse.ANSWER_WITHIN_S, before = 0.2, pulse.ANSWER_WITHIN_S
    argv = [sys.executable, "-P", "-m", "http.server", "--bind", LOOPBACK, str(port)]

    def answers() -> bool:
        return http_answers(pulse.EVERYWHERE[0], port, "/", lambda status: True)

    def start() -> Handle:
        children.append(ChildProcess(Command(argv, tmp_path / "log", stop_limit_ms=300)))
        return children[-1]

    part = Service("web", start, lambda _: answers(), log_path=tmp_path / "log", answers=answers)
    supervisor = Supervisor([part], lines.append, FAST)
    supervisor.start()

    def stop_it() -> None:
        time.sleep(0.5)  # it has answered
        os.kill(children[0].pid, signal.SIGSTOP)
        with suppress(AssertionError):
            until(lambda: "web is ready again" in lines)
        supervisor.request_stop()

    thread = threading.Thread(target=stop_it)
    thread.start()
    supervisor.run()
    thread.join()
    pulse.ANSWER_WITHIN_S = before
    assert "web does not answer any more; starting it again in 0.0 s" in lines
    assert "web is ready again" in lines
    assert len(children) == 2


def test_a_part_that_never_answered_is_left_alone() -> None:
    asked: list[int] = []
    silent = Pulse(lambda: bool(asked.append(1)), every_s=0.001)
    until(lambda: len(asked) > 3 * SILENT_MAX)
    assert not silent.hangs
    silent.stop()


def test_a_part_that_answers_now_and_then_is_slow() -> None:
    asked: list[int] = []
    slow = Pulse(lambda: bool(asked.append(1) or len(asked) % SILENT_MAX == 0), every_s=0.001)
    until(lambda: len(asked) > 5 * SILENT_MAX)
    assert not slow.hangs
    slow.stop()


def test_a_server_that_accepts_and_says_nothing_does_not_answer() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        before, pulse.ANSWER_WITHIN_S = pulse.ANSWER_WITHIN_S, 0.1
        assert not http_answers(LOOPBACK, server.getsockname()[1], "/health", lambda status: True)
        pulse.ANSWER_WITHIN_S = before
