"""Queues in time zones of their own: periods and ranges by their clocks, in the command and in the views."""

import random
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.clickhouse import connect
from support.kpi_values import Expected
from support.kpi_world import KPIS, LATER, RULES, SEED, Stored, make_world, store
from support.view_world import ms, query

from cli.times import span_ms
from reports.kpi.answer import Question
from reports.kpi.zones import answer_by_zone
from sinks.views.statements import KPI_VIEWS, apply_views
from sql.periods import edges

pytestmark = pytest.mark.stack
HOME = "Europe/Rome"
ZONES = {"A": "Asia/Tokyo", "B": "America/New_York", "unheard of": "Asia/Kathmandu"}
SPAN = ("2026-01-04", "2026-01-13")
MEASURED = (
    "offered",
    "asa",
    "volume",
    "longest_wait",
    "wait_p90",
    "peak_hour",
    "aht",
    "fcr_gross",
    "csat",
)
VIEWED = ("offered", "volume", "longest_wait", "wait_p90")
# Not all columns: to plan those of five clocks takes seven seconds.
READ = ", ".join(("window_start", "channel", "queue", "window_local", *(f"{kpi}, {kpi}_n" for kpi in VIEWED)))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    client = connect(tmp_path_factory.mktemp("zones") / "db")
    yield store(client, make_world(random.Random(SEED)))
    client.close()


def asked(every: str, *by: str) -> Question:
    kpis = MEASURED if every in ("1d", "1w", "all") else [kpi for kpi in MEASURED if kpi != "peak_hour"]
    return Question(*span_ms(*SPAN, HOME), every, by, tuple(kpis), zone=HOME, as_of_ms=LATER)


def answered(stored: Stored, question: Question) -> list[dict[str, Any]]:
    return answer_by_zone(stored.client, question, RULES, ZONES, partial(span_ms, *SPAN))


@pytest.mark.parametrize("every", ["1h", "1d", "all"])
def test_each_queue_is_counted_by_its_own_clock(stored: Stored, every: str) -> None:
    rows = answered(stored, asked(every, "queue"))
    assert {row["timezone"] for row in rows} == {HOME, "Asia/Tokyo", "America/New_York"}
    for zone in {HOME, *ZONES.values()}:
        begin, end = span_ms(*SPAN, zone)
        own = Question(begin, end, every, ("queue",), zone=zone, as_of_ms=LATER)
        listed = edges(begin, end, every, ZoneInfo(zone))
        for kpi in ("offered", "volume", "asa"):
            expected = Expected(own, stored).values(KPIS[kpi])
            mine = {key: row for key, row in expected.items() if ZONES.get(key[2], HOME) == zone and row["n"]}
            found = {
                (*(ms(datetime.fromisoformat(row[name])) for name in ("window_start", "window_end")),
                 row["queue"]): row["kpis"][kpi]
                for row in rows if row["timezone"] == zone and row["kpis"][kpi]["n"]
            }  # fmt: skip
            assert found == mine
            assert all(key[0] in listed for key in found)


def test_a_sum_over_queues_keeps_to_the_reporting_zone(stored: Stored) -> None:
    rows = answered(stored, asked("1d", "channel"))
    assert rows
    assert not any("timezone" in row for row in rows)
    midnights = edges(*span_ms(*SPAN, HOME), "1d", ZoneInfo(HOME))
    assert {ms(datetime.fromisoformat(row["window_start"])) for row in rows} <= {*midnights}


def test_the_views_say_the_same(stored: Stored) -> None:
    apply_views(stored.client, RULES, HOME, ZONES)
    for view, every in KPI_VIEWS.items():
        if every not in ("15m", "1h", "1d"):  # begin or end outside of the range, or no wide view
            continue
        rows = answered(stored, asked(every, "channel", "queue"))
        here = {
            (ms(row["window_start"]), row["channel"], row["queue"]): row
            for row in query(stored.client, f"SELECT {READ} FROM {view}_wide")
        }
        compared = 0
        for row in rows:
            begin = ms(datetime.fromisoformat(row["window_start"]))
            found = here[begin, row["channel"], row["queue"]]
            for kpi in VIEWED:
                value = row["kpis"][kpi]
                if value["n"]:
                    assert (found[kpi], found[f"{kpi}_n"]) == (value["value"], value["n"]), (view, kpi)
                    compared += 1
            local = datetime.fromtimestamp(begin // 1000, ZoneInfo(row["timezone"]))
            assert found["window_local"].startswith(str(local.date()))
        assert compared > 100
