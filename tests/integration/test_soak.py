"""The command that kills every part under load, in small; by hand `python -m bench.soak --kills 60`."""

import pytest
from support.every_kind import EVERY_KIND

from bench.soak import PARTS, Found, Sent, document, judge, options, plan, soak
from bench.stack import stack
from sinks.connection import connect

SMALL = ("--kills", "4", "--seed", "2", "--mean", "1", "--rate", "600")


def test_every_part_is_killed_as_often_as_the_others_and_the_seed_decides_when() -> None:
    steps = plan(60, 1, 4.0)
    assert steps == plan(60, 1, 4.0) != plan(60, 2, 4.0)
    assert [sum(name == part for _, name in steps) for part in PARTS] == [15] * 4
    assert all(0 < pause_s <= 12 for pause_s, _ in steps)
    assert 3 < sum(pause_s for pause_s, _ in steps) / 60 < 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"differences": 1},
        {"differences": -1},
        {"counted": "offered 0.99999; 1 of 9 values differ: offered"},
        {"trouble": "3 records are not done"},
        {"ended_alone": ["worker: it was tired"]},
    ],
)
def test_nothing_but_a_clean_run_is_good(wrong: dict[str, object]) -> None:
    clean = {"kills": {}, "differences": 0, "counted": "1 (9 values)"}
    assert Found(**clean).good  # type: ignore[arg-type]
    assert not Found(**clean | wrong).good  # type: ignore[arg-type]
    assert document(Found(**clean | wrong))["good"] is False  # type: ignore[arg-type]


@EVERY_KIND
@pytest.mark.stack
def test_four_kills_change_nothing_and_a_changed_row_is_found() -> None:
    with stack() as parts:
        found = soak(parts, options(SMALL))
        assert found.good, document(found)
        assert found.kills == dict.fromkeys(PARTS, 1)
        assert found.sent.duplicates > 50
        assert found.sent.late > 50
        client = connect(parts.clickhouse_url)
        client.command(
            "INSERT INTO kpi_windows SELECT * REPLACE (offered + 1 AS offered, version + 1 AS version) "
            "FROM kpi_windows FINAL WHERE offered > 0 LIMIT 1"
        )
        again = Found(found.kills, sent=Sent(truth=found.sent.truth))
        judge(parts, again)
        assert again.differences == 1
        assert "1 of" in again.counted
        assert not again.good
