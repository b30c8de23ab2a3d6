"""Commands that find nothing running, a wrong setting or no file: a message with what to do, and a status."""

import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest
from support.command import ringback
from support.numbers import ended

from cli import entry
from deploy.local.ports import free_port

KPI = ("kpi", "--from", "2026-01-01", "--to", "2026-02-01")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Settings of a place where nothing listens."""
    monkeypatch.chdir(tmp_path)
    address = f"127.0.0.1:{free_port()}"
    url = f"http://user:secret@{address}/ringback"
    return {"RINGBACK_DATA_DIR": str(tmp_path), "KAFKA_BOOTSTRAP_SERVERS": address, "CLICKHOUSE_URL": url}


def assert_says_what_to_start(output: str) -> None:
    said = " ".join(output.split())
    assert "ringback up" in said
    assert "CLICKHOUSE_URL" in said
    assert "secret" not in said


@pytest.mark.parametrize("command", [KPI, ("verify",), ("doctor",), ("dead-letters", "list")])
def test_with_nothing_running_a_command_says_what_to_start(
    nobody: dict[str, str], command: tuple[str, ...]
) -> None:
    done = ringback(*command, **nobody)
    assert done.status == 3, done.output
    assert "Traceback" not in done.output
    assert_says_what_to_start(done.output)


@pytest.mark.timeout(20)
def test_a_missing_file_is_said_without_waiting_for_kafka(nobody: dict[str, str], tmp_path: Path) -> None:
    (here := tmp_path / "here.jsonl").touch()
    missing = str(tmp_path / "[/x]")  # brackets are markup to the printer of messages
    done = ringback("import", "events", str(here), missing, **nobody)
    assert done.status == 2, done.output
    assert "Traceback" not in done.output
    assert f"cannot read {missing}: No such file or directory" in done.stderr


@pytest.mark.parametrize("command", [KPI, ("worker",), ("doctor",)], ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("name", "value"),
    [("RINGBACK_TIMEZONE", "Mars"), ("RINGBACK_PARTITIONS", "none"), ("RINGBACK_EPOCH", "-1")],
)
def test_wrong_settings_are_named(
    nobody: dict[str, str], name: str, value: str, command: tuple[str, ...]
) -> None:
    done = ringback(*command, **nobody | {name: value})
    assert done.status == 2, done.output
    assert "Traceback" not in done.output
    assert name in done.stderr


# The same in processes of their own: what Python says there on its way out would not be seen above.


def test_a_process_with_nothing_running_says_what_to_start(nobody: dict[str, str]) -> None:
    done = ended(nobody, 3, "doctor")  # asks both Kafka and ClickHouse
    assert_says_what_to_start(done.stdout + done.stderr)


def test_a_process_names_a_wrong_setting(nobody: dict[str, str]) -> None:
    assert "RINGBACK_EPOCH" in ended(nobody | {"RINGBACK_EPOCH": "-1"}, 2, "worker").stderr


def test_the_console_command_is_this_one() -> None:
    (installed,) = entry_points(group="console_scripts", name="ringback")
    assert installed.load() is entry.run
    assert (Path(sys.prefix) / "bin" / "ringback").exists()


def test_it_says_which_ringback_it_is() -> None:
    done = ringback("--version")
    assert (done.status, done.output.strip()) == (0, f"ringback {version('ringback')}")
