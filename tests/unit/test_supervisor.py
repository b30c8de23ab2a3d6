import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.child import ChildProcess, Command, log_tail
from deploy.local.errors import LocalStackError
from deploy.local.supervisor import (
    Handle,
    RestartPolicy,
    Service,
    Supervisor,
    stop_on_signals,
)

FAST = RestartPolicy(first_wait_ms=10, longest_wait_ms=40, steady_ms=5_000, quick_deaths=3)
SLEEP = ("sleep", "60")
ROOT = Path(__file__).parents[2]


class Recorder:
    """Starts `sleep` children and writes down the order of starts and stops."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path
        self.events: list[str] = []
        self.children: dict[str, ChildProcess] = {}

    def service(self, name: str, argv: tuple[str, ...] = SLEEP, ready: bool = True) -> Service:
        log_path = self.tmp_path / f"{name}.log"

        def start() -> Handle:
            self.events.append(f"start {name}")
            child = ChildProcess(Command(argv, log_path))
            self.children[name] = child
            return Noted(child, lambda: self.events.append(f"stop {name}"))

        return Service(name, start, lambda _: ready, ready_limit_ms=200, log_path=log_path)


class Noted:
    def __init__(self, child: ChildProcess, note: Callable[[], None]) -> None:
        self.child = child
        self.note = note

    def alive(self) -> bool:
        return self.child.alive()

    def stop(self) -> None:
        self.note()
        self.child.stop()


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


def wait_for(condition: Callable[[], bool], limit_s: float = 3.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


def exists(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_starts_in_order_and_stops_in_reverse(recorder: Recorder) -> None:
    supervisor = Supervisor([recorder.service("a"), recorder.service("b")], print)
    supervisor.start()
    supervisor.stop()
    assert recorder.events == ["start a", "start b", "stop b", "stop a"]
    assert not any(child.alive() for child in recorder.children.values())


def test_a_dead_service_is_started_again(recorder: Recorder) -> None:
    lines: list[str] = []
    supervisor = Supervisor([recorder.service("a")], lines.append, FAST)

    def disturb() -> None:
        first = recorder.children["a"]
        os.kill(first.pid, signal.SIGKILL)
        wait_for(lambda: "a is ready again" in lines)
        assert recorder.children["a"].pid != first.pid
        supervisor.request_stop()

    supervisor.start()
    other = threading.Thread(target=disturb)
    other.start()
    supervisor.run()
    other.join()
    assert lines == ["a died; starting it again in 0.0 s", "a is ready again"]
    assert not recorder.children["a"].alive()


def test_a_service_that_keeps_dying_is_given_up(recorder: Recorder) -> None:
    broken = recorder.service("broken", ("sh", "-c", "echo no such luck; sleep 0.1; exit 3"))
    supervisor = Supervisor([recorder.service("good"), broken], print, FAST)
    supervisor.start()
    with pytest.raises(LocalStackError, match=r"(?s)broken was given up after 3 deaths.*no such luck.*log"):
        supervisor.run()
    assert recorder.events.count("start broken") == 3
    assert recorder.events[-1] == "stop good"


def test_a_first_start_that_fails_stops_the_rest(recorder: Recorder) -> None:
    supervisor = Supervisor([recorder.service("a"), recorder.service("late", ready=False)], print)
    with pytest.raises(LocalStackError, match="late was not ready after"):
        supervisor.start()
    assert not any(child.alive() for child in recorder.children.values())


def test_a_command_that_does_not_exist_is_a_readable_error(tmp_path: Path) -> None:
    command = Command(("no-such-program",), tmp_path / "x.log")
    service = Service("x", lambda: ChildProcess(command), lambda _: False, log_path=command.log_path)
    with pytest.raises(LocalStackError, match=r"(?s)x ended while it started.*cannot run no-such-program"):
        Supervisor([service], print).start()


def test_signals_end_the_run_and_handlers_are_put_back(recorder: Recorder) -> None:
    before = signal.getsignal(signal.SIGTERM)
    supervisor = Supervisor([recorder.service("a")], print)
    with stop_on_signals(supervisor):
        supervisor.start()
        os.kill(os.getpid(), signal.SIGTERM)
        supervisor.run()
    assert recorder.events[-1] == "stop a"
    assert signal.getsignal(signal.SIGTERM) is before


def test_waits_double_up_to_a_limit() -> None:
    policy = RestartPolicy()
    assert [policy.wait_ms(n) for n in range(1, 8)] == [200, 400, 800, 1600, 3200, 5000, 5000]


def test_a_child_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 60 & echo $!; wait; wait"
    child = ChildProcess(Command(("sh", "-c", script), tmp_path / "logs" / "x.log", stop_limit_ms=100))
    wait_for(lambda: log_tail(child.command.log_path).strip().isdigit())
    grandchild = int(log_tail(child.command.log_path))
    child.stop()
    assert child.returncode == -signal.SIGKILL
    wait_for(lambda: not exists(grandchild))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_parent_leaves_no_orphan(tmp_path: Path) -> None:
    log_path = tmp_path / "x.log"
    program = (
        "import sys, time; from pathlib import Path; from deploy.local.child import *;"
        f"child = ChildProcess(Command(('sh', '-c', 'echo up; exec sleep 60'), Path({str(log_path)!r})));"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    wait_for(lambda: log_tail(log_path) == "up")
    parent.kill()
    parent.communicate()
    wait_for(lambda: not exists(pid))


def test_a_big_log_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.child.LOG_LIMIT_BYTES", 3)
    path = tmp_path / "x.log"
    path.write_text("older")
    ChildProcess(Command(("true",), path)).stop()
    assert path.with_name("x.log.1").read_text() == "older"


def test_the_last_words_leave_out_stack_frames(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    assert log_tail(path) == ""
    path.write_text("one\ntwo\nException: disk full\n\tat a.b.C\n\tat d.e.F\n")
    assert log_tail(path, lines=2) == "two\nException: disk full"
