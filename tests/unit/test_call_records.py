"""Layouts of call records: one of the user's own, zones, and what is said of a wrong one."""

import csv
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.samples import FOLDER, SECRET

from adapters.call_records.layout import layouts, read_layout, shipped
from adapters.kit.check import read_stored
from adapters.kit.contract import events_of
from adapters.kit.options import SourceOptions, use
from adapters.kit.outcomes import WrongFile
from adapters.registry import source_of

pytestmark = pytest.mark.usefixtures("source_options")
BERLIN = ZoneInfo("Europe/Berlin")
OWN = """
name = "ours"
header = ["call", "from", "begin", "answer", "end", "group"]
delimiter = ";"
time = "%d.%m.%Y %H:%M:%S"
id = ["call"]
started = "begin"
answered = "answer"
ended = "end"
queue = "group"
customer = "from"
"""
CALLS = """call;from;begin;answer;end;group
7;030123456;05.01.2026 09:00:00;05.01.2026 09:00:20;05.01.2026 09:01:00;sales
"""


def times(path: Path) -> list[int]:
    return [
        event.occurred_at
        for event in events_of(read_stored(source_of("call_records"), path, SECRET).outcomes)
    ]


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("name", ["cdr.csv", "queuemetrics.csv"])
def test_what_other_programs_put_between_cells(tmp_path: Path, name: str, delimiter: str) -> None:
    sample, other = FOLDER / "call_records" / name, tmp_path / name
    with sample.open(newline="") as given, other.open("w", newline="") as written:
        csv.writer(written, delimiter=delimiter).writerows(csv.reader(given))
    expected = times(sample)
    assert expected
    assert times(other) == expected


def test_a_layout_of_ones_own(tmp_path: Path) -> None:
    layout, calls = tmp_path / "ours.toml", tmp_path / "calls.csv"
    layout.write_text(OWN)
    calls.write_text(CALLS)
    with pytest.raises(WrongFile, match="fits no layout of call records; those are asterisk_cdr"):
        times(calls)
    use(SourceOptions(call_records=layout, call_records_zone=BERLIN))
    assert times(calls) == [1_767_600_000_000] * 2 + [1_767_600_020_000, 1_767_600_060_000]


def test_the_zone_of_the_files() -> None:
    sample = FOLDER / "call_records" / "threecx-01.log"
    utc = times(sample)
    use(SourceOptions(call_records_zone=BERLIN))
    assert times(sample) == [at - 3_600_000 for at in utc]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "is no TOML"),
        (OWN.replace('started = "begin"', ""), "started: Field required"),
        (OWN + "colour = 'red'", "colour: Extra inputs are not permitted"),
        (OWN.replace('ended = "end"', ""), "give ended, or talk"),
        (OWN.replace("header", "columns").replace('"end", ', ""), "columns has no end"),
        (OWN + "columns = ['a']", "give either columns"),
    ],
)
def test_what_is_wrong_with_a_layout_is_said(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(WrongFile, match=said):
        read_layout(path)


def test_a_layout_that_is_not_there() -> None:
    use(SourceOptions(call_records=Path("/nowhere.toml")))
    with pytest.raises(WrongFile, match=r"cannot read the layout /nowhere\.toml: No such file"):
        layouts()
    assert {layout.name for layout in shipped()} == {"asterisk_cdr", "queuemetrics", "threecx"}
