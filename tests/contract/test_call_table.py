"""The table of recorded calls in docs/sources/asterisk.md is what the sources say today."""

from pathlib import Path

from support.call_table import call_table

PAGE = Path(__file__).parents[2] / "docs" / "sources" / "asterisk.md"


def test_the_table_of_the_page_is_what_is_told() -> None:
    assert call_table() in PAGE.read_text("utf-8")
