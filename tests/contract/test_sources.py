"""What every source must keep, held against its samples. A new source is found here by being registered."""

from pathlib import Path
from urllib.parse import unquote

import pytest
from support.samples import (
    FOLDER,
    SECRET,
    customers,
    event_lines,
    expected_events,
    expected_refused,
    identifiers,
    refused_lines,
    samples,
)

from adapters.details import TOLD_BY
from adapters.events.json_lines import read_events
from adapters.kit.check import (
    check_exports,
    check_file,
    lines_of,
    other_file_wrong,
    payloads_of,
    read_lines,
    read_stored,
)
from adapters.kit.contract import customers_named, events_of
from adapters.kit.source import Source
from adapters.registry import SOURCES
from kpis.catalogue.details import details_of
from kpis.catalogue.every_kpi import every_kpi
from kpis.fold.events import fold
from kpis.rules import DEFAULT_RULES
from schemas.events import MODELS

EVERY = [pytest.param(source, id=source.name) for source in SOURCES]
SAMPLES = [pytest.param(source, path, id=path.name) for source in SOURCES for path in samples(source)]
OTHER_KINDS = {"words.txt": [b"this is", b"no table"], "image.png": [b"\x89PNG\r", b"\x00\xff\xfe"]}


def text_of(path: Path) -> str:
    """What stands in a sample, as it is and as it would be in a form."""
    text = path.read_text("utf-8", "replace")
    return text + unquote(text)


@pytest.mark.parametrize("source", EVERY)
def test_a_source_has_samples_that_show_all_it_gives(source: Source) -> None:
    assert len(samples(source)) >= (2 if source.snapshot else 1), f"samples in {FOLDER / source.name}"
    readings = [read_stored(source, path, SECRET).outcomes for path in samples(source)]
    assert {event.type for outcomes in readings for event in events_of(outcomes)} == {*source.gives}
    assert {*source.gives} <= MODELS.keys()
    assert any(map(refused_lines, readings)), "a sample holds a line that is refused"
    text = "".join(map(text_of, samples(source)))
    assert customers(source), "a sample names a customer"
    assert [name for name in customers(source) if name not in text] == []


def test_samples_show_no_detail_that_is_not_said() -> None:
    """What `ringback kpi --list` says of sources: of each detail that a KPI needs, who tells it."""
    needed = {detail for kpi in every_kpi(DEFAULT_RULES).values() for detail in details_of(kpi)}
    assert needed == TOLD_BY.keys()
    assert {name for names in TOLD_BY.values() for name in names} <= {source.name for source in SOURCES}
    for source in SOURCES:
        events = [
            e for path in samples(source) for e in events_of(read_stored(source, path, SECRET).outcomes)
        ]
        for type_, field, value in needed:
            found = [getattr(event, field) for event in events if event.type == type_]
            if value in found or (not value and any(found)):
                assert source.name in (*TOLD_BY[type_, field, value], "events"), (type_, field, value)


def test_every_folder_of_samples_belongs_to_a_source() -> None:
    assert sorted(path.name for path in FOLDER.iterdir() if path.is_dir()) == sorted(
        source.name for source in SOURCES
    )


@pytest.mark.parametrize(("source", "path"), SAMPLES)
def test_a_sample_gives_what_stands_beside_it(source: Source, path: Path) -> None:
    outcomes = read_stored(source, path, SECRET).outcomes
    assert event_lines(outcomes).splitlines() == expected_events(path).splitlines()
    assert refused_lines(outcomes) == expected_refused(path)


@pytest.mark.parametrize(("source", "path"), SAMPLES)
def test_a_sample_keeps_the_contract(source: Source, path: Path) -> None:
    checked = check_file(source, path, SECRET, fold, max_refused=0.5)
    assert {check.promise: check.wrong for check in checked if check.wrong} == {}


@pytest.mark.parametrize(("source", "path"), SAMPLES)
def test_no_customer_goes_any_further(source: Source, path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """By the list of the sample, whatever the source itself takes for a customer."""
    reading = read_stored(source, path, SECRET)
    printed = capfd.readouterr()
    logs = [*reading.logs, *printed.out.splitlines(), *printed.err.splitlines()]
    assert customers_named(reading.outcomes, logs, identifiers(source)) == []


@pytest.mark.parametrize(("source", "path"), SAMPLES)
def test_the_source_knows_the_customers_in_its_lines(source: Source, path: Path) -> None:
    """`ringback adapter check` has nothing else to go by."""
    customers_of = source.load_customers()
    found = {raw for line in payloads_of(source, path) for raw in customers_of(line)}
    text = text_of(path)
    assert [name for name in customers(source) if name in text and name not in found] == []


@pytest.mark.parametrize("source", EVERY)
def test_files_of_another_kind_are_refused(source: Source) -> None:
    kinds = OTHER_KINDS | {
        f"{other.name}-{path.name}": payloads_of(other, path)
        for other in SOURCES
        if other != source
        for path in samples(other)
    }
    if source.header_lines:
        kinds |= {path.name: lines_of(path)[source.header_lines :] for path in samples(source)}
    for name, lines in kinds.items():
        assert other_file_wrong(source, name, lines, SECRET, identifiers(source)) == []


@pytest.mark.parametrize("source", [source for source in EVERY if source.values[0].snapshot])
def test_a_longer_export_repeats_the_one_before(source: Source) -> None:
    (checked,) = check_exports(source, samples(source), SECRET)
    assert checked.wrong == []
    revisions = [read_stored(source, path, SECRET).outcomes for path in samples(source)]
    assert any(event.revision for outcomes in revisions for event in events_of(outcomes))


@pytest.mark.parametrize(("source", "path"), SAMPLES)
def test_what_try_prints_can_be_imported(source: Source, path: Path) -> None:
    lines = expected_events(path).splitlines()
    again = [*read_lines(read_events, "again.jsonl", lines, SECRET)]
    assert event_lines(again).splitlines() == lines
