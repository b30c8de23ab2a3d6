"""The registry of sources: cheap to load, and what commands and documents are made of."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import Result
from support.samples import CUSTOMERS, FOLDER, SECRET, expected_events, expected_refused, samples
from typer.testing import CliRunner

from adapters import registry
from adapters.kit.check import read_with
from adapters.kit.contract import events_of
from adapters.kit.event_lines import event_line
from adapters.kit.source import Source
from adapters.registry import FOLDERS, SOURCES, NoSuchSource, entry, source_of
from cli import adapter, console
from cli.main import app
from docs.build.sources import BEGIN, END, PAGE_BEGIN, adapters_table, page_head, with_head, with_sources

SAMPLES = [pytest.param(source, path, id=path.name) for source in SOURCES for path in samples(source)]
HEAVY = ("typer", "rich", "structlog", "aiokafka", "aiohttp", "clickhouse_connect")
SERVICENOW = source_of("servicenow")
ZOOM = FOLDER / "zoom" / "engagements.jsonl"
BANK = FOLDER / "bank" / "calls.txt"


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGBACK_CUSTOMER_KEY_SECRET", "samples")
    console.settings.cache_clear()
    yield
    console.settings.cache_clear()
    structlog.reset_defaults()


def ringback(*args: str) -> Result:
    return CliRunner().invoke(app, args, env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})


def test_loading_the_registry_loads_no_reader_and_no_library() -> None:
    code = "import sys, adapters.registry; print(*sorted(sys.modules))"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert [name for name in HEAVY if name in loaded] == []
    ours = {name for name in loaded if name.startswith(tuple(f"adapters.{folder}." for folder in FOLDERS))}
    assert ours == {f"adapters.{folder}.source" for folder in FOLDERS}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_what_an_entry_names_is_there(source: Source) -> None:
    assert callable(source.load_reader())
    assert callable(source.load_customers())
    assert source.example.startswith(f"ringback import {source.name} ")
    assert source_of(source.name) is source


def test_wrong_names_and_entries_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoSuchSource, match="there are bank, servicenow, "):
        source_of("sap")
    monkeypatch.setattr(registry.import_module("adapters.bank.source"), "ENTRY", SERVICENOW)
    with pytest.raises(TypeError, match=r"adapters/bank/source\.py: ENTRY must be a Source"):
        entry("bank")


def test_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "out", console.SafeConsole(width=300))
    listed = json.loads(ringback("adapter", "list", "--format", "json").stdout)
    assert [source["name"] for source in listed] == [source.name for source in SOURCES]
    assert listed[0]["page"] == "docs/sources/bank.md"
    assert listed[0]["gives"][0] == "contact_started"
    text = ringback("adapter", "list").stdout
    assert all(source.title in text for source in SOURCES)


@pytest.mark.parametrize(("source", "path"), SAMPLES)
def test_try_prints_what_stands_beside_a_sample(source: Source, path: Path) -> None:
    done = ringback("adapter", "try", source.name, str(path))
    assert done.exit_code == 0
    # What is told twice is printed once.
    assert done.stdout_bytes.splitlines() == [*dict.fromkeys(expected_events(path).splitlines())]
    said = [line.split(": ")[:2] for line in done.stderr.splitlines() if line.startswith("line ")]
    assert [f"{line.removeprefix('line ')} {reason}" for line, reason in said] == expected_refused(path)
    assert f"dead letters {len(expected_refused(path))}" in done.stderr.splitlines()[-1]


def test_try_reads_the_parts_of_one_log_as_an_import_does() -> None:
    parts = [FOLDER / "asterisk" / f"asterisk-queuelog-{part}.log" for part in ("11a", "11b")]
    reader = source_of("asterisk").load_series()
    expected = [
        event_line(event) for part in parts for event in events_of(read_with(reader, part, SECRET).outcomes)
    ]
    done = ringback("adapter", "try", "asterisk", *map(str, parts))
    assert done.stdout_bytes.splitlines(keepends=True) == expected
    alone = [line for part in parts for line in expected_events(part).splitlines(keepends=True)]
    assert expected != alone


def test_try_names_some_refused_lines_and_counts_the_others(tmp_path: Path) -> None:
    path = tmp_path / "calls.txt"
    path.write_bytes(BANK.read_bytes() + b"broken\n" * 30)
    said = ringback("adapter", "try", "bank", str(path)).stderr.splitlines()
    assert len(said) == 22
    assert said[-2] == "... and 13 more lines refused"


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["bank", BANK, "--max-refused", "0.5"], 0, "ok  order and duplicates do not matter"),
        (["bank", BANK], 1, "3 of 9 outcomes are refused"),
        (["servicenow", *samples(SERVICENOW), "--max-refused", "0.5"], 0, "repeats the one before"),
        (["servicenow", *samples(SERVICENOW)[::-1], "--max-refused", "0.5"], 1, "does not repeat"),
        (["servicenow", BANK], 2, "is no ServiceNow incident event log"),
        (["bank", FOLDER / "no-such-file"], 2, "cannot read"),
        (["zoom", ZOOM, "--max-refused", "0.5", "--total", "answered=1"], 0, "ok  the vendor's totals"),
        (["zoom", ZOOM, "--max-refused", "0.5", "--total", "answered=2"], 1, "says 2, the events come to 1"),
        (["zoom", ZOOM, "--total", "calls=2"], 2, "NAME one of contacts, offered"),
    ],
)
def test_check(args: list[str | Path], status: int, said: str) -> None:
    done = ringback("adapter", "check", *map(str, args))
    assert said in done.output
    assert done.exit_code == status


def test_a_key_that_is_kept_is_made_for_a_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same customers as an import would send."""
    monkeypatch.delenv("RINGBACK_CUSTOMER_KEY_SECRET")
    monkeypatch.setenv("RINGBACK_DATA_DIR", str(tmp_path))
    console.settings.cache_clear()
    one, two = (ringback("adapter", "try", "bank", str(BANK)).stdout_bytes for _ in range(2))
    assert one == two != expected_events(BANK)


def test_table_and_heads_for_the_documents() -> None:
    table = adapters_table()
    rows = [source for source in SOURCES if source.reads != "webhook" and not source.mapping]
    assert [line.count("|") for line in table.splitlines()] == [4] * (len(rows) + 5)
    assert with_sources(f"a\n{BEGIN}\nold\n{END}\nz") == f"a\n{BEGIN}\n{table}\n{END}\nz"
    for source in SOURCES:
        head = page_head(source.name)
        assert all(text in head for text in (source.example, source.layout, *source.gives, *source.lacks))
        assert with_head(source.name, f"# T\n{PAGE_BEGIN}\n{END}\n") == f"# T\n{PAGE_BEGIN}\n{head}\n{END}\n"
    with pytest.raises(ValueError, match="sources: made by make docs"):
        with_sources("no markers")


def test_the_samples_of_all_sources_are_made_up_here() -> None:
    """Small enough to have been written by hand: no rows of data sets, and little of what was recorded."""
    files = [
        path
        for path in FOLDER.rglob("*")
        if path.is_file() and path.name != CUSTOMERS and "recorded" not in path.name
    ]
    assert max(path.stat().st_size for path in files) < 20_000
