"""Names from outside are printed, never obeyed; a table is safe to open: M5 of the attack."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from support.command import ringback

from cli import console, dead_letters, explain, kpi
from cli.kpi import Question, print_csv, print_text
from cli.printable import SafeConsole, csv_cell, harmless, printable
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES

ATTACK = Path(__file__).parents[1] / "data" / "attack" / "esc.jsonl"
HOSTILE = "\x1b[31mRED\x1b]52;c;cm0=\x07\x00\x9b1A\x85\u202egnp\u2028x"
OBEYED = set("\x1b\x07\x00\x9b\x85\u202e\u2028\r\x7f")
RANGE = ("--from", "2026-01-05", "--to", "2026-01-06")


def row(**dimensions: str) -> dict[str, Any]:
    value = {"value": -14.5, "unit": "points", "n": 2, "num": -29, "den": 2, "final": True}
    times = {"window_start": "2026-01-05T00:00:00Z", "window_end": "2026-01-06T00:00:00Z"}
    return times | dimensions | {"kpis": {"nps": value}}


def test_what_a_terminal_obeys_is_written_out() -> None:
    assert harmless("a\nb\tc\x1b[2J\x00\x7f\x9b") == "a\nb\tc\\x1b[2J\\x00\\x7f\\x9b"
    assert printable("[red]n\nfake\tline\r") == "[red]n\\nfake\\tline\\x0d"
    assert printable("Zoë – 客服 \U0001f600") == "Zoë – 客服 \U0001f600"
    assert not OBEYED & set(printable(HOSTILE))


def test_a_console_prints_no_commands_of_others_and_keeps_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    SafeConsole(width=80).print(f"[bold]{HOSTILE}[/]", "plain")
    assert not OBEYED & set(capsys.readouterr().out)
    SafeConsole(width=80, force_terminal=True, color_system="standard").print(
        f"[bold red]x[/]{HOSTILE}", highlight=False
    )
    printed = capsys.readouterr().out
    assert printed.startswith("\x1b[1;31mx\x1b[0m\\x1b[31mRED")
    assert "\x07" not in printed


def test_kpi_as_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kpi, "out", SafeConsole(width=300))
    rows = [row(queue=HOSTILE, team="n\nfake line"), row(queue="B", team="t")]
    print_text(rows, Question(0, 1, by=("queue", "team")), every_kpi(DEFAULT_RULES))
    printed = capsys.readouterr().out
    assert "n\\nfake line" in printed
    assert not OBEYED & set(printed)
    assert len([line for line in printed.splitlines() if "2026-01-05" in line]) == 2


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_a_cell_that_a_spreadsheet_would_run_has_an_apostrophe(
    capsys: pytest.CaptureFixture[str], begin: str
) -> None:
    print_csv([row(queue=f"{begin}cmd|' /C calc'!A0")], Question(0, 1, by=("queue",)))
    _, cells = csv.reader(StringIO(capsys.readouterr().out, newline=""))
    assert cells[2] == f"'{begin}cmd|' /C calc'!A0"
    assert cells[3:] == ["nps", "-14.5", "points", "2", "-29", "2", "True"]  # numbers stay numbers


def test_other_cells_stay_as_they_are() -> None:
    assert [csv_cell(value) for value in ("a=b", "", None, -5, -1.5, True)] == [
        "a=b",
        "",
        None,
        -5,
        -1.5,
        True,
    ]


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    event = {
        "at": "2026-01-05T08:00:00Z",
        "type": "contact_queued",
        "leg": 1,
        "queue": f"{HOSTILE}\nfake line",
    }
    explain.print_events((event,), "UTC")
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 1
    assert not OBEYED & set(printed)


@pytest.mark.parametrize("command", [("list",), ("show", "x", "1")])
def test_dead_letters(monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    letter = {"origin": f"{HOSTILE}\nfake", "position": 1, "reason": "r", "detail": HOSTILE, "failed_at": 0}
    found = [letter | {"payload": HOSTILE.encode()}]
    monkeypatch.setattr(dead_letters, "fetch", lambda *_, **__: found)
    done = ringback("dead-letters", *command)
    assert done.status == 0
    assert not OBEYED & set(done.output)
    assert "\nfake" not in done.output


def test_refused_lines_and_json_of_the_attack() -> None:
    tried = ringback("adapter", "try", "events", str(ATTACK), RINGBACK_CUSTOMER_KEY_SECRET="k" * 16)
    assert "unknown_type" in tried.stderr
    assert not OBEYED & set(tried.output)


def test_json_says_the_same_without_what_a_terminal_obeys(capfdbinary: Any) -> None:
    console.print_json({"queue": HOSTILE})
    printed = capfdbinary.readouterr().out.decode()
    assert json.loads(printed) == {"queue": HOSTILE}
    assert not OBEYED & set(printed)


def test_logs(capsys: pytest.CaptureFixture[str]) -> None:
    console.configure_logs("INFO")
    try:
        structlog.get_logger().warning("said", contact=f"{HOSTILE}\nfake line")
    finally:
        structlog.reset_defaults()
    printed = capsys.readouterr().err
    assert "fake line" in printed
    assert len(printed.splitlines()) == 1
    assert not OBEYED & set(printed)
