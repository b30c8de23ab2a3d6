"""The views of KPIs: local periods as sql.periods has them, values as `ringback kpi` answers them."""

import random
import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from clickhouse_connect.driver.client import Client
from support.builders import make_quarter
from support.clickhouse import connect
from support.view_world import RULES, Row, insert, ms, query, recent_world

from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.figure import PeakHour
from kpis.catalogue.kpi import Kpi
from kpis.facts import FcrFact
from kpis.rules import DEFAULT_RULES
from kpis.tallies.windows import MEASURES
from reports.kpi.answer import Question, answer
from schemas.time_units import DAY_MS
from sinks.views.columns import column_id
from sinks.views.statements import AGENT_VIEWS, KPI_VIEWS, apply_views, of_agents
from sql.periods import edges

pytestmark = pytest.mark.stack

# Where clocks do what they can: an hour; half an hour; at :45; at midnight; a minute past it; a day left out.
MOMENTS = {
    "UTC": "2025-03-30",
    "Europe/Rome": "2025-10-26",
    "America/New_York": "2025-03-09",
    "Australia/Lord_Howe": "2024-04-06",
    "Asia/Kathmandu": "2025-01-01",
    "Pacific/Chatham": "2025-04-05",
    "America/Sao_Paulo": "2018-11-04",
    "America/St_Johns": "2006-10-29",
    "Pacific/Apia": "2011-12-30",
    "Africa/Casablanca": "2025-02-23",
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    opened = connect(tmp_path_factory.mktemp("views") / "db")
    yield opened
    opened.close()


def store_minutes(client: Client, minutes: list[int]) -> None:
    """A contact in each minute, and a quarter of an agent in each that a quarter-hour begins in."""
    for table in ("kpi_windows", "agent_quarters", "legs"):
        client.command(f"TRUNCATE TABLE {table}")
    values = [1 if name == "contacts" else 0 for name in MEASURES]
    columns = ("window_start", "channel", "queue", "partition", *MEASURES, "version")
    lines = [[minute, "voice", "A", 0, *values, 1] for minute in minutes]
    client.insert("kpi_windows", lines, column_names=columns)
    quarters = [make_quarter(window_start=minute) for minute in minutes if minute % 900_000 == 0]
    insert(client, "agent_quarters", quarters)


def local_text(instant: int, zone: ZoneInfo, every: str) -> str:
    local = datetime.fromtimestamp(instant // 1000, UTC).astimezone(zone)
    return str(local.date()) if every in ("1d", "1w", "1M") else local.isoformat(" ", "minutes")[:22]


@pytest.mark.parametrize("name", MOMENTS)
def test_periods_are_those_of_the_command(client: Client, name: str) -> None:
    rng, zone = random.Random(name), ZoneInfo(name)
    middle = ms(datetime.fromisoformat(MOMENTS[name]))
    near = [middle + rng.randrange(-30 * 60, 54 * 60) * 60_000 for _ in range(500)]
    far = [middle + rng.randrange(-400 * 24 * 60, 400 * 24 * 60) * 60_000 for _ in range(300)]
    minutes = sorted({*near, *far, *(minute // 900_000 * 900_000 for minute in near)})
    store_minutes(client, minutes)
    apply_views(client, DEFAULT_RULES, name)
    span = (middle - 500 * DAY_MS, middle + 500 * DAY_MS)
    quarters = [minute for minute in minutes if minute % 900_000 == 0]
    for views, value, counted in (
        (KPI_VIEWS, "volume", minutes),
        (AGENT_VIEWS, "concurrent_aht_n", quarters),
    ):
        for view, every in views.items():
            listed = edges(*span, every, zone)
            expected: dict[tuple[int, int, str], int] = {}
            for minute in counted:
                place = bisect_right(listed, minute)
                key = (listed[place - 1], listed[place], local_text(listed[place - 1], zone, every))
                expected[key] = expected.get(key, 0) + 1
            found = {
                (ms(row["window_start"]), ms(row["window_end"]), row["window_local"]): row["n"]
                for row in query(
                    client, f"SELECT window_start, window_end, window_local, {value} AS n FROM {view}"
                )
            }
            assert found == expected, (view, name)


@pytest.fixture(scope="module")
def world(client: Client) -> list[FcrFact]:
    return recent_world(client)


def shown(value: Any, unit: str, every: str) -> Any:
    """What the view shows for a value of the command."""
    if unit == "hour" and value is not None:
        return value[11:16] if every == "1d" else value[:16].replace("T", " ")
    return value


def within_a_minute(client: Client, view: str) -> tuple[int, list[Row]]:
    """All rows of a view, and the minute that all of it was read in: what is final depends on it."""
    while True:
        now = ms(datetime.now(UTC)) // 60_000 * 60_000
        found = query(client, f"SELECT * FROM {view}")
        if now == ms(datetime.now(UTC)) // 60_000 * 60_000:
            return now, found


@pytest.mark.parametrize(
    ("views", "by", "zone"),
    [
        (KPI_VIEWS, ("channel", "queue"), "Europe/Rome"),
        (AGENT_VIEWS, ("agent", "team"), "Asia/Kathmandu"),
    ],
)
def test_values_are_those_of_the_command(
    client: Client, world: list[FcrFact], views: dict[str, str], by: tuple[str, ...], zone: str
) -> None:
    apply_views(client, RULES, zone)
    known = {
        kpi.id: kpi
        for kpi in every_kpi(RULES).values()
        if kpi.table not in ("live", "backlog")
        and (of_agents(kpi) if by[0] == "agent" else kpi.table not in ("agents", "states"))
    }
    for view, every in views.items():
        if every == "1m":  # more rows of the same kind
            continue
        now, found = within_a_minute(client, view)
        here = {(ms(row["window_start"]), *(row[name] for name in by)): row for row in found}
        span = edges(now - 100 * DAY_MS, now + 100 * DAY_MS, "1M", ZoneInfo(zone))
        asked = Question(span[1], span[-2], every, by, zone=zone, as_of_ms=now, variants=True)
        compared: set[str] = set()
        for line in answer(client, asked, RULES):
            if by[0] == "agent" and not line["agent"]:
                continue
            start = ms(datetime.fromisoformat(line["window_start"]))
            row = here.get((start, *(line[name] for name in by)), {})
            for kpi_id in line["kpis"].keys() & known.keys():
                compared |= compare(known[kpi_id], line["kpis"][kpi_id], row, every)
        # Not in these contacts: some kinds and scales of surveys, calls back that nobody took. Who was
        # abandoned had no agent.
        absent = {"peak_hour", "callbacks_unanswered"}
        if by[0] == "agent":
            absent |= {name for name in known if name.startswith("abandoned.within_")}
        assert {name for name in known if known[name].table != "surveys"} <= compared | absent, view


def compare(kpi: Kpi, answered: Row, row: Row, every: str) -> set[str]:
    """A value of the command against the row of a view ({} for none); the id if there is a value."""
    name = column_id(kpi)
    if isinstance(kpi.figure, PeakHour) and every in ("15m", "30m", "1h"):
        assert name not in row
        return set()
    if not row or row[f"{name}_n"] is None:  # nothing there, or the KPI means nothing on the channel
        assert not answered["n"], (kpi.id, answered)
        return set()
    expected = shown(answered["value"], kpi.unit, every)
    assert (row[name], row[f"{name}_n"]) == (expected, answered["n"]), (kpi.id, answered)
    if kpi.table == "fcr":
        assert row[f"{name}_final"] <= answered["final"], kpi.id
    return {kpi.id} if answered["n"] else set()


def test_a_condition_on_time_reads_little(client: Client, world: list[FcrFact]) -> None:
    apply_views(client, RULES, "Europe/Rome")
    names, zeros = ", ".join(MEASURES), ", ".join("0" for _ in MEASURES)
    client.command(
        f"INSERT INTO kpi_windows (window_start, channel, queue, partition, {names}, version) "
        "SELECT toDateTime64('2020-01-01 00:00:00', 3, 'UTC') + toIntervalMinute(number), 'voice', 'A', 0, "
        f"{zeros}, 1 FROM numbers(300000)"
    )
    for view in ("kpi_minute", "kpi_quarter_hour", "kpi_half_hour", "kpi_hour", "kpi_day", "kpi_week"):
        plan = client.query(
            f"EXPLAIN indexes = 1 SELECT window_start, service_level FROM {view} "
            "WHERE window_start >= '2020-03-02 00:00:00' AND window_start < '2020-03-12 00:00:00'"
        ).result_rows
        text = "\n".join(row[0] for row in plan)
        read = re.findall(r"kpi_windows\)(?:(?!ReadFrom).)*?Granules: (\d+)/(\d+)", text, re.DOTALL)
        assert read, text
        assert all(int(some) <= int(every) / 5 for some, every in read), (view, read)
    client.command("DELETE FROM kpi_windows WHERE window_start < '2021-01-01'")
