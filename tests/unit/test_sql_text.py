"""The pure parts of sql/: splitting scripts, composing the oracle, local periods."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.time_units import HOUR_MS
from sql import kpi_queries as kpi
from sql.migrate import in_order, migrations, split_statements
from sql.periods import edges, periods, shifts
from sql.templates import compose, fill

ROOT = Path(__file__).parents[2]


def ms(*when: int) -> int:
    return round(datetime(*when, tzinfo=UTC).timestamp()) * 1000  # type: ignore[arg-type]


def hours(zone: str, every: str, begin: int, end: int) -> list[float]:
    """Lengths of the periods of a range, in hours."""
    found = edges(begin, end, every, ZoneInfo(zone))
    return [(after - before) / HOUR_MS for before, after in pairwise(found)]


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", ()),
        (" ;; -- nothing; here\n", ()),
        ("SELECT 1", ("SELECT 1",)),
        ("SELECT 1;\nSELECT 2;\n", ("SELECT 1", "SELECT 2")),
        ("SELECT ';', '\\';', 'it''s;'; SELECT 2", ("SELECT ';', '\\';', 'it''s;'", "SELECT 2")),
        ('SELECT ";" AS `a;b`; SELECT 2', ('SELECT ";" AS `a;b`', "SELECT 2")),
        ("-- one; don't\nSELECT 1; /* two; */ SELECT 2", ("-- one; don't\nSELECT 1", "/* two; */ SELECT 2")),
        ("SELECT '-- no comment; really' ;", ("SELECT '-- no comment; really'",)),
        ("SELECT 1; -- the end", ("SELECT 1",)),
    ],
)
def test_scripts_are_split_at_bare_semicolons(text: str, statements: tuple[str, ...]) -> None:
    assert split_statements(text) == statements


def test_migrations_are_in_order_of_their_numbers() -> None:
    found = in_order({"0010_b.sql": "SELECT 2", "0002_a.sql": "SELECT 1"})
    assert [(item.number, item.name) for item in found] == [(2, "a"), (10, "b")]


@pytest.mark.parametrize("names", [["1_a.sql"], ["0001_a.sql", "0001_b.sql"]])
def test_a_misnamed_or_doubled_migration_is_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"migration"):
        in_order(dict.fromkeys(names, ""))


def test_our_migrations_create_all_tables() -> None:
    text = "".join(statement for migration in migrations() for statement in migration.statements)
    for table in ("events", "contacts", "legs", "surveys", "kpi_windows", "dead_letters"):
        assert f"CREATE TABLE IF NOT EXISTS {table}\n" in text


def test_a_template_and_its_caller_agree_on_the_places() -> None:
    for parts, odd in (({}, "fold"), ({"fold": "x", "fald": "y"}, "fald")):
        with pytest.raises(ValueError, match=rf"sql/oracle/legs.* {odd}$"):
            fill("oracle", "legs", **parts)


def test_what_is_put_into_a_template_is_left_as_it_is() -> None:
    """A queue may be called {contacts}; and what has {name:Type} is a parameter of ClickHouse's own."""
    made = compose("oracle", "callbacks", legs="legs_of_{contacts}", contacts="C")
    assert made.count("legs_of_{contacts}") == 2
    assert "FROM C WHERE" in made
    assert "{tolerance_ms:Int64}" in made
    assert made.startswith("(")
    assert made.endswith(")")


def test_every_template_is_used() -> None:
    """Each has a caller, which names it and its folder."""
    code = [
        path.read_text(encoding="utf-8")
        for folder in ("sql", "sinks")
        for path in (ROOT / folder).rglob("*.py")
    ]
    names = [path for path in (ROOT / "sql").rglob("*.sql") if path.parent.name != "migrations"]
    assert len(names) > 20
    unused = [path.name for path in names if not any(f'"{path.stem}"' in text for text in code)]
    assert not unused


def test_days_have_the_length_that_the_clock_gives_them() -> None:
    assert hours("Europe/Paris", "1d", ms(2025, 10, 24, 22), ms(2025, 10, 27, 23)) == [24, 25, 24]
    assert hours("Europe/Paris", "1d", ms(2025, 3, 28, 23), ms(2025, 3, 31, 22)) == [24, 23, 24]
    assert hours("Australia/Lord_Howe", "1d", ms(2024, 4, 6, 13), ms(2024, 4, 7, 13, 30)) == [24.5]
    assert hours("Australia/Lord_Howe", "1d", ms(2024, 10, 5, 13, 30), ms(2024, 10, 6, 13)) == [23.5]
    # Midnight is left out in Sao Paulo, a whole date in Samoa.
    assert hours("America/Sao_Paulo", "1d", ms(2018, 11, 3, 3), ms(2018, 11, 5, 2)) == [24, 23]
    assert hours("Pacific/Apia", "1d", ms(2011, 12, 29, 10), ms(2011, 12, 31, 10)) == [24, 24]


def test_hours_are_whole_but_where_the_clock_is_shifted_by_less() -> None:
    assert set(hours("Europe/Paris", "1h", ms(2025, 10, 25), ms(2025, 10, 27))) == {1}
    assert hours("Australia/Lord_Howe", "1h", ms(2024, 4, 6, 13), ms(2024, 4, 6, 16, 30)) == [1, 1, 0.5, 1]
    assert hours("Asia/Kathmandu", "1h", ms(2024, 1, 1), ms(2024, 1, 1, 2)) == [0.25, 1, 0.75]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    assert edges(ms(2024, 2, 28), ms(2024, 3, 12), "1w", UTC) == [
        ms(2024, 2, 28), ms(2024, 3, 4), ms(2024, 3, 11), ms(2024, 3, 12),
    ]  # fmt: skip
    assert edges(ms(2024, 1, 31), ms(2024, 3, 1, 1), "1M", UTC) == [
        ms(2024, 1, 31), ms(2024, 2, 1), ms(2024, 3, 1), ms(2024, 3, 1, 1),
    ]  # fmt: skip


def test_shifts_are_found_to_the_minute() -> None:
    assert [instant for instant, _ in shifts(ms(2025, 1, 1), ms(2026, 1, 1), ZoneInfo("Europe/Paris"))] == [
        ms(2025, 1, 1), ms(2025, 3, 30, 1), ms(2025, 10, 26, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("begin", "end", "every"), [(0, 0, "1h"), (1, 60_000, "1h"), (0, 60_000, "2h")])
def test_bad_ranges_and_periods_are_refused(begin: int, end: int, every: str) -> None:
    with pytest.raises(ValueError, match=r"minute|period"):
        periods(begin, end, every, UTC)


def test_an_unknown_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown dimension"):
        kpi.sums("x", ["offered"], periods(0, 60_000, "all", UTC), ["co'lour"])
