"""The command line without any service: help, wrong use, times, and how answers are printed."""

import csv
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer
from clickhouse_connect.driver.exceptions import DatabaseError
from rich.cells import cell_len
from support.command import ringback

from adapters.registry import SOURCES
from cli import console, explain, kpi
from cli.corrections import amount, signed
from cli.kpi import Question, print_csv, print_text
from cli.kpi_plot import one_of, plots
from cli.kpi_text import many_rows
from cli.main import COMMANDS as TABLE
from cli.main import ENDINGS, load, status_of
from cli.sending import print_counts
from cli.shown import duration, local_minute, shown
from cli.times import instant_ms, span_ms
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES
from reports.explain.explanation import Asked, Contributor, Explanation
from sql.periods import period_of

KPIS = every_kpi(DEFAULT_RULES)
COMMANDS = (
    "demo", "up", "worker", "sink", "gateway",
    *(f"import {source.name}" for source in SOURCES),
    "follow", "listen", "adapter list", "adapter try", "adapter check", "simulate", "kpi",
    "explain", "verify", "alerts check", "alerts backtest", "alerts run", "alerts schema", "alerts list",
    "alerts notify-test", "alerts silence", "alerts explain", "alerts verify", "alerts test",
    "alerts retry",
    "export clickhouse", "export kafka", "replay files", "replay kafka", "replay clickhouse",
    "restore kafka", "restore clickhouse", "forget",
    "dead-letters list", "dead-letters show", "dead-letters replay",
    "dead-letters close", "doctor", "heal", "wallboard", "rebuild", "report",
)  # fmt: skip
OURS = {
    "cli",
    "alerts",
    "bench",
    "reports",
    "maintenance",
    "sinks",
    "gateway",
    "wallboard",
    "streams",
    "adapters",
    "simulator",
    "kpis",
    "sql",
    "deploy",
    "schemas",
}
RANGE = ("--from", "2026-01-05", "--to", "2026-01-06")


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without anybody's ringback.toml."""
    monkeypatch.chdir(tmp_path)


def test_every_command_is_tested_here() -> None:
    found = []
    for name in TABLE:
        command = load(name)
        found += [f"{name} {sub}" for sub in getattr(command, "commands", {})] or [name]
    assert sorted(found) == sorted(COMMANDS)


@pytest.mark.parametrize("name", TABLE)
def test_the_list_says_of_a_command_what_its_own_help_does(name: str) -> None:
    first, *_ = load(name).help.split("\n\n")
    assert TABLE[name][1] == " ".join(first.split())


def test_the_list_loads_no_command() -> None:
    code = "import sys; from cli.main import app; app(['--help'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = {name for name in done.stdout.rsplit("\n", 2)[-2].split() if name.split(".")[0] in OURS}
    assert ours == {"cli", "cli.main", "cli.std_streams"}


@pytest.mark.parametrize("name", ENDINGS)
def test_what_ends_a_command_with_a_message_is_there(name: str) -> None:
    error = resolve_name(name)
    assert issubclass(error, Exception)
    assert status_of(error.__new__(error)) == ENDINGS[name]
    assert status_of(ValueError()) is None


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_that_names_the_command(command: str) -> None:
    done = ringback(*command.split(), "--help")
    assert done.status == 0
    assert "Example: " in done.output
    assert f"ringback {command}" in done.output.split("Example: ")[1]


@pytest.mark.parametrize(
    "group", [(), ("import",), ("adapter",), ("export",), ("replay",), ("restore",), ("dead-letters",)]
)
def test_a_group_alone_prints_its_help(group: tuple[str, ...]) -> None:
    assert "Usage:" in ringback(*group).output
    assert ringback(*group, "--help").status == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nonsense"], "nonsense"),
        (["import", "sap", "x"], "sap"),
        (["import", "bank"], "FILE"),
        (["adapter", "try", "sap", "x"], "there are bank, "),
        (["adapter", "try", "bank", "no-such-file"], "cannot read no-such-file"),
        (["adapter", "check", "bank", "-"], "name a file"),
        (["adapter", "check", "bank", "x", "--max-refused", "2"], "max-refused"),
        (["kpi", "--from", "2026-01-05"], "--to"),
        (["kpi", "--from", "yesterday", "--to", "2026-01-06"], "yesterday"),
        (["kpi", "--from", "2026-01-06", "--to", "2026-01-05"], "not before"),
        (["kpi", "--from", "2026-01-05T00:00:30", "--to", "2026-01-06"], "whole minutes"),
        (["kpi", *RANGE, "--every", "5m"], "15m"),
        (["kpi", *RANGE, "--format", "xml"], "xml"),
        (["kpi", *RANGE, "--as-of", "later"], "later"),
        (["explain"], "KPI"),
        (["explain", "asa"], "--window"),
        (["explain", "asa", "--window", "2026-01-05", "--every", "all"], "15m"),
        (["explain", "asb", "--window", "2026-01-05"], "did you mean asa"),
        (["explain", "waiting_now", "--window", "2026-01-05"], "--as-of"),
        (["explain", "asa", "--window", "2026-01-05", "--limit", "0"], "limit"),
        (["verify", "--from", "2026-01-05"], "both"),
        (["verify", "--surprise"], "--surprise"),
        (["simulate", "--contacts", "5", "--rate", "2"], "--contacts"),
        (["simulate", "--contacts", "0"], "contacts"),
        (["simulate", "--contacts", "many"], "valid integer"),
        (["up", "--workers", "99"], "workers"),
        (["dead-letters", "list", "--limit", "0"], "limit"),
        (["dead-letters", "show", "file"], "position"),
        (["replay", "files", "x", "--rate", "-5"], "--rate"),
        (["replay", "files", "x", "--rate", "inf"], "--rate"),
        (["replay", "files", "x", "--from", "2026-01-05"], "both"),
        (["replay", "kafka", "--topic", "x", "--offsets", "0:5-2"], "is empty"),
        (["replay", "kafka", "--brokers", "::x"], "no list of brokers"),
        (["export", "kafka", "x", "--brokers", ""], "no list of brokers"),
        (["replay", "clickhouse", "--url", "nonsense"], "no address of http"),
        (["replay", "clickhouse", "--url", "ftp://h"], "no address of http"),
        (["replay", "files", "history/manifest.json"], "name these files"),
        (["rebuild", "--from", "2026-01-05"], "both"),
        (["rebuild", "--undo", "1", "--dry-run"], "stand alone"),
        (["rebuild", "--list", "--queue", "sales"], "stand alone"),
        (["rebuild", "--compare-rules", "x", "--queue", "sales"], "all queues"),
        (["forget", "ann@example.org", "--report", "nowhere/told.json"], "cannot be written"),
        (["forget", "ann@example.org", "--report", "."], "is a folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_use_is_status_2_and_says_what(args: list[str], said: str) -> None:
    done = ringback(*args)
    assert done.status == 2
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_wrong_setting_is_status_2_and_named() -> None:
    done = ringback("kpi", *RANGE, RINGBACK_TIMEZONE="Mars")
    assert done.status == 2
    assert "RINGBACK_TIMEZONE" in done.output
    assert "Europe/Rome" in done.output


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("1999-02-01", "UTC", 917_827_200_000),
        ("1999-02-01", "Asia/Jerusalem", 917_820_000_000),
        ("1999-02-01T09:30", "Asia/Jerusalem", 917_854_200_000),
        ("1999-02-01T09:30+02:00", "UTC", 917_854_200_000),
        ("1999-02-01T07:30Z", "Asia/Jerusalem", 917_854_200_000),
        ("1900-01-01", "UTC", -2_208_988_800_000),
        ("2026-10-25T02:30", "Europe/Rome", 1_792_888_200_000),  # there are two; the first
    ],
)
def test_times(text: str, zone: str, expected: int) -> None:
    assert instant_ms(text, zone) == expected


def test_what_a_corrected_kpi_is_made_of() -> None:
    assert signed({"abandoned": 1, "short_abandoned": -1}) == "(abandoned - short_abandoned)"
    assert (signed({"offered": 1}), signed({"good": 100})) == ("offered", "100 good")


def test_corrections_of_times_are_in_words() -> None:
    assert [amount(name, 90_000) for name in ("wait_ms", "answered")] == ["1 min 30 s", "90,000"]


@pytest.mark.parametrize("text", ["", "now", "1999-02-30", "01.02.1999", "1999-02-01T25:00", "917820000"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        instant_ms(text, "UTC")


def test_spans() -> None:
    assert span_ms("1999-02-01", "1999-02-02", "UTC") == (917_827_200_000, 917_913_600_000)
    with pytest.raises(typer.BadParameter, match="not before"):
        span_ms("1999-02-01", "1999-02-01", "UTC")


def value(number: float | None, unit: str, num: int, den: int) -> dict[str, Any]:
    return {"value": number, "unit": unit, "n": den, "num": num, "den": den, "final": True}


def row(**dimensions: str) -> dict[str, Any]:
    kpis = {"asa": value(40_774.3, "ms", 81_549, 2), "service_level": value(0.52077, "ratio", 1, 2)}
    kpis |= {"offered": value(31_125, "count", 31_125, 1), "art": value(None, "ms", 0, 0)}
    times = {"window_start": "2026-01-05T00:00:00Z", "window_end": "2026-01-06T00:00:00Z"}
    return times | dimensions | {"kpis": kpis}


def test_values_for_people() -> None:
    assert [shown(kpi_value) for kpi_value in row()["kpis"].values()] == ["40.8 s", "52.1 %", "31,125", "-"]
    assert shown(value("2026-03-29T01:45:00+01:00", "hour", 1, 1)) == "2026-03-29 01:45"
    assert [shown(value(n, unit, 1, 1)) for n, unit in ((-14.286, "points"), (1.3, "number"))] == [
        "-14.29",
        "1.30",
    ]


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0.0 s"),
        (12_340, "12.3 s"),
        (59_949, "59.9 s"),
        (59_950, "1 min 00 s"),
        (245_400, "4 min 05 s"),
        (3_599_499, "59 min 59 s"),
        (3_599_500, "1 h 00 min"),
        (9_600_000, "2 h 40 min"),
        (172_800_000, "2 d 00 h"),
        (273_600_000, "3 d 04 h"),
        (-9_600_000, "-2 h 40 min"),
    ],
)
def test_a_duration_is_in_units_that_fit(ms: float, text: str) -> None:
    assert duration(ms) == text


def test_the_hours_of_a_clock_change_are_told_apart() -> None:
    times = ("2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z")
    assert [local_minute(time, "Europe/Rome") for time in times] == [
        "2026-10-25 02:00+02:00",
        "2026-10-25 02:00+01:00",
        "2026-10-25 03:00",
    ]
    assert local_minute("2026-03-29T01:00:00Z", "Europe/Rome") == "2026-03-29 03:00"


def test_one_row_is_never_without_what_it_is_of(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kpi, "out", console.SafeConsole(width=200))
    print_text([row(queue="billing")], Question(0, 1, by=("queue",)), KPIS)
    head, only, _ = capsys.readouterr().out.splitlines()
    assert (head.split()[:3], only.split()[2]) == (["from", "queue", "asa"], "billing")
    many = row(queue="billing")
    many["kpis"] = dict.fromkeys([*KPIS][:20], many["kpis"]["asa"])
    print_text([many], Question(0, 1, by=("queue",)), KPIS)
    first, heads, *_ = capsys.readouterr().out.splitlines()
    assert first == " from 2026-01-05 00:00, queue billing"
    assert heads.split() == ["KPI", "value", "n", "id"]


def test_columns_that_do_not_fit_a_terminal_come_below() -> None:
    rows = [row(queue="A"), row(queue="B")]
    text = [*many_rows(rows, Question(0, 1, by=("queue",)), 60)]
    assert len(text) == 7
    assert all(cell_len(line) <= 60 for line in text)
    assert [line.split()[:2] for line in text if "2026" not in line and line] == [["from", "queue"]] * 2
    wide = [*many_rows(rows, Question(0, 1, by=("queue",)), 0)]
    assert [line.split() for line in wide[:1]] == [["from", "queue", *row()["kpis"]]]
    assert len(wide) == 3


def test_thousands_of_rows_are_printed_fast(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """rich's tables took 27 s for 5,000 rows; CPU time, as the machine may be busy."""
    monkeypatch.setattr(kpi, "out", console.SafeConsole(width=200))
    rows = [row(queue=f"q{number}") for number in range(5_000)]
    began = time.process_time()
    print_text(rows, Question(0, 1, by=("queue",)), KPIS)
    assert time.process_time() - began < 3
    assert len(capsys.readouterr().out.splitlines()) == 5_002


def test_a_plot_leaves_a_gap_where_nothing_was_counted() -> None:
    hour, day = 3_600_000, 1_767_571_200_000  # 2026-01-05
    rows = []
    for number, wait in ((0, 1_000), (1, 8_000), (3, 4_500)):
        begin = datetime.fromtimestamp(day // 1000 + number * 3_600, UTC).isoformat()
        values = {"asa": value(float(wait), "ms", wait, 1)}
        rows.append({"window_start": begin, "window_end": begin, "queue": "A", "kpis": values})
    question = Question(day, day + 5 * hour, "1h", ("queue",))
    assert [*plots(rows, question)] == [" asa", " A  ▁█ ▅   1.0 s to 8.0 s"]


def test_long_plots_join_by_terms_and_bars_start_at_zero() -> None:
    first, second = value(1.0, "ratio", 1, 1), value(0.0, "ratio", 0, 9)
    first["den"], second["den"] = 1, 9
    counts = [value(3, "count", 3, 1), value(4, "count", 4, 1)]
    longest = [value(3_000, "ms", 3_000, 1), value(4_000, "ms", 4_000, 1)]
    assert one_of([first, second]) == 0.1
    assert (one_of(counts), one_of(longest), one_of([])) == (7, 4_000, None)
    rows = [row(queue="A"), row(queue="B")]
    rows[1]["kpis"]["asa"] = value(20_387.15, "ms", 1, 2)
    drawn = [*plots(rows, Question(0, 1, by=("queue",)))][:3]
    assert [line.count("█") for line in drawn] == [0, 40, 20]


def test_csv_has_the_integers(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv([row(queue='a "b", c')], Question(0, 1, by=("queue",)))
    head, first, *_, last = csv.reader(StringIO(capsys.readouterr().out))
    assert head == ["window_start", "window_end", "queue", "kpi", "value", "unit", "n", "num", "den", "final"]
    assert first[2:] == ['a "b", c', "asa", "40774.3", "ms", "2", "81549", "2", "True"]
    assert last[3:] == ["art", "", "ms", "0", "0", "0", "True"]


def test_text_of_one_row_and_of_several(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr(kpi, "out", console.SafeConsole(width=200))
    print_text([row()], Question(0, 1, as_of_ms=1_767_571_200_000), KPIS)
    printed = capsys.readouterr().out
    assert "Average speed of answer" in printed
    assert "as of 2026-01-05 00:00 UTC" in printed
    assert "provisional" not in printed
    open_ = row()
    open_["kpis"]["asa"]["final"] = False
    print_text([open_], Question(0, 1), KPIS)
    assert "provisional" in capsys.readouterr().out
    print_text([row(queue="A"), row(queue="B")], Question(0, 1, by=("queue",)), KPIS)
    assert capsys.readouterr().out.count("2026-01-05 00:00") == 2
    print_text([], Question(0, 1), KPIS)
    assert capsys.readouterr().out == "no contacts in this range\n"


def test_names_with_brackets_are_printed_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    """A queue is called what its owner likes; brackets must not be taken for rich's markup."""
    monkeypatch.setattr(kpi, "out", console.SafeConsole(width=200))
    print_text([row(queue="[red]hot"), row(queue="[/]")], Question(0, 1, by=("queue",)), KPIS)
    printed = capsys.readouterr().out
    assert "[red]hot" in printed
    assert "[/]" in printed
    print_text([row(queue="end\\"), row(queue="B")], Question(0, 1, by=("queue",)), KPIS)
    assert "end\\ " in capsys.readouterr().out


def test_a_database_without_our_tables_is_said_so(monkeypatch: Any) -> None:
    class Empty:
        def query(self, *_: Any, **__: Any) -> None:
            raise DatabaseError("Code: 60. DB::Exception: Table ringback.fcr_windows does not exist")

    for module, args in ((kpi, ("kpi", *RANGE)), (explain, ("explain", "asa", "--window", "2026-01-05"))):
        monkeypatch.setattr(module, "client", lambda _: Empty())
        done = ringback(*args)
        assert done.status == 3
        assert "fcr_windows does not exist" in done.output
        assert "up to date" in done.output


def explanation(contacts: int, **where: str) -> Explanation:
    events = ({"at": "2026-01-05T08:00:00.137Z", "type": "contact_queued", "leg": 1, "queue": "[red]hot"},)
    contributors = tuple(
        Contributor(
            {"contact_id": f"c{n}"}, num=1, den=2, measures={"wait_n": 2}, note="a note", events=events
        )
        for n in range(contacts)
    )
    asked = Asked(
        KPIS["asa"],
        from_ms=1_767_571_200_000,
        to_ms=1_767_572_100_000,
        as_of_ms=1_767_600_000_000,
        **where,
        zone="Europe/Rome",
    )
    return Explanation(
        asked, value=500.0, n=2 * contacts, num=contacts, den=2 * contacts, contributors=contributors
    )


def test_an_explanation_as_text(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr(explain, "out", console.SafeConsole(width=200))
    explain.print_text(explanation(3, queue="[red]hot"), limit=2)
    printed = capsys.readouterr().out
    assert (
        "2026-01-05 01:00 to 2026-01-05 01:15, as of 2026-01-05 09:00 Europe/Rome, queue [red]hot" in printed
    )
    assert "0.5 s = 3 / 6, from 3 contacts" in printed
    assert "contact c0: numerator 1, denominator 2 (wait_n 2; a note)" in printed
    assert "2026-01-05 09:00:00.137  contact_queued  leg 1  queue=[red]hot" in printed
    assert "contact c2" not in printed
    assert "... and 1 more" in printed
    explain.print_text(explanation(0), limit=2)
    assert "nothing was counted there" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("every", "zone", "instant", "begin", "end"),
    [
        ("15m", "UTC", "2026-01-05T09:20Z", "2026-01-05T09:15Z", "2026-01-05T09:30Z"),
        ("15m", "UTC", "2026-01-05T09:15Z", "2026-01-05T09:15Z", "2026-01-05T09:30Z"),
        ("1h", "Asia/Kathmandu", "2026-01-05T09:20Z", "2026-01-05T09:15Z", "2026-01-05T10:15Z"),
        ("1h", "Australia/Lord_Howe", "2026-04-04T15:10Z", "2026-04-04T15:00Z", "2026-04-04T15:30Z"),
        ("1d", "Europe/Rome", "2026-03-29T12:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        ("1d", "Europe/Rome", "2026-10-25T22:59Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        ("1w", "UTC", "2026-01-05T00:00Z", "2026-01-05T00:00Z", "2026-01-12T00:00Z"),
        ("1M", "Europe/Rome", "2026-03-31T12:00Z", "2026-02-28T23:00Z", "2026-03-31T22:00Z"),
    ],
)
def test_the_period_that_holds_a_time(every: str, zone: str, instant: str, begin: str, end: str) -> None:
    found = period_of(instant_ms(instant, "UTC"), every, ZoneInfo(zone))
    assert found == (instant_ms(begin, "UTC"), instant_ms(end, "UTC"))


def test_an_error_with_brackets_is_printed_as_it_is(tmp_path: Any) -> None:
    done = ringback("kpi", "--from", "2026-01-05", "--to", "2026-01-06", "--by", "[/x]")
    assert "Traceback" not in done.output
    with pytest.raises(typer.Exit):
        console.fail("no file [/x] [red]", 2)


def test_counts(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    counts = {"sent": 1_234, "dead_letters": 0}
    print_counts(counts, console.Format.json)
    assert json.loads(capfdbinary.readouterr().out) == counts


def test_a_store_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rocksdict", None)
    done = ringback("worker", RINGBACK_STATE_STORE="rocksdict")
    assert done.status == 2
    assert "pip install 'ringback[disk]'" in done.output
