"""The tables of recorded calls in docs/sources are what the sources say today."""

from pathlib import Path

from support.call_table import asterisk_table, freeswitch_table
from support.recorded_asterisk import MORE

PAGES = Path(__file__).parents[2] / "docs" / "sources"


def test_the_table_of_asterisk() -> None:
    assert asterisk_table() in (PAGES / "asterisk.md").read_text("utf-8")


def test_the_table_of_more_kinds() -> None:
    assert asterisk_table(MORE) in (PAGES / "asterisk.md").read_text("utf-8")


def test_the_table_of_freeswitch() -> None:
    assert freeswitch_table() in (PAGES / "freeswitch.md").read_text("utf-8")
