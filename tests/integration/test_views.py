"""The views of KPIs: local periods as sql.periods has them, values as `ringback kpi` answers them."""

import random
import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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
from sinks.views.adding import added_up
from sinks.views.columns import column_id
from sinks.views.kpi_views import (
    BY_AGENT,
    BY_ALL,
    BY_OWN,
    BY_QUEUE,
    BY_QUEUE_AND_AGENT,
    BY_REASON,
    CALLBACKS,
    FIGURES,
    WIDE,
    chosen,
    fact_view,
    of_facts,
    queue_view,
)
from sinks.views.statements import (
    AGENT_VIEWS,
    KPI_VIEWS,
    STATEMENT_LIMITS,
    apply_views,
)
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


def local_columns(instant: int, zone: ZoneInfo, every: str) -> tuple[Any, ...]:
    """What the columns of the local clock must be."""
    local = datetime.fromtimestamp(instant // 1000, UTC).astimezone(zone)
    if every in ("1d", "1w", "1M"):
        return str(local.date()), local.date()
    offset = round((local.utcoffset() or timedelta()).total_seconds())
    return local.isoformat(" ", "minutes")[:22], local.date(), local.replace(tzinfo=None), offset


LOCAL = ("window_local", "local_date", "local_time", "utc_offset_s")


@pytest.mark.parametrize("name", MOMENTS)
def test_periods_are_those_of_the_command(client: Client, name: str) -> None:
    rng, zone = random.Random(name), ZoneInfo(name)
    middle = ms(datetime.fromisoformat(MOMENTS[name]))
    near = [middle + rng.randrange(-30 * 60, 54 * 60) * 60_000 for _ in range(500)]
    far = [middle + rng.randrange(-400 * 24 * 60, 400 * 24 * 60) * 60_000 for _ in range(300)]
    minutes = sorted({*near, *far, *(minute // 900_000 * 900_000 for minute in near)})
    store_minutes(client, minutes)
    make = STATEMENT_LIMITS
    for view, every in KPI_VIEWS.items():
        client.command(queue_view(view, every, DEFAULT_RULES, zone, {}, ""), settings=make)
    for view, every in AGENT_VIEWS.items():
        client.command(fact_view(view, every, DEFAULT_RULES, zone, BY_AGENT), settings=make)
    span = (middle - 500 * DAY_MS, middle + 500 * DAY_MS)
    quarters = [minute for minute in minutes if minute % 900_000 == 0]
    for views, value, counted in (
        (KPI_VIEWS, "volume", minutes),
        (AGENT_VIEWS, "concurrent_aht_n", quarters),
    ):
        for view, every in views.items():
            listed = edges(*span, every, zone)
            expected: dict[tuple[Any, ...], int] = {}
            for minute in counted:
                place = bisect_right(listed, minute)
                start = listed[place - 1]
                key = (start, listed[place], *local_columns(start, zone, every))
                expected[key] = expected.get(key, 0) + 1
            local = LOCAL[:2] if every in ("1d", "1w", "1M") else LOCAL
            names = ", ".join(local)
            found = {
                (
                    ms(row["window_start"]),
                    ms(row["window_end"]),
                    *(unzoned(row[name]) for name in local),
                ): row["n"]
                for row in query(
                    client, f"SELECT window_start, window_end, {names}, {value} AS n FROM {view}"
                )
            }
            assert found == expected, (view, name)


def unzoned(value: Any) -> Any:
    """A time of the local clock, whatever zone the driver gives it."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


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


WORLD_ZONE = "Europe/Rome"
# Views by their dimensions; the kinds of each period, and those that are compared.
KINDS = {
    BY_QUEUE: [("kpi_hour", "1h", ""), ("kpi_quarter_hour_figures", "15m", FIGURES),
               ("kpi_day_figures", "1d", FIGURES), ("kpi_day_callbacks", "1d", CALLBACKS),
               ("kpi_month_wide", "1M", WIDE)],
    BY_AGENT: [("agent_quarter_hour", "15m", ""), ("agent_week_wide", "1w", WIDE)],
    BY_REASON: [("reason_day", "1d", "")],
    BY_QUEUE_AND_AGENT: [("queue_agent_week", "1w", "")],
    BY_ALL: [("survey_month", "1M", "")],
    BY_OWN: [("dimension_day", "1d", "")],
}  # fmt: skip
COLUMN = {"brand": "value"}
# Not in these contacts: some kinds and scales of surveys, calls back that nobody took.
ABSENT = {"peak_hour", "callbacks_unanswered"}


def shown_kpis(by: tuple[str, ...], every: str, kind: str) -> dict[str, Kpi]:
    """KPIs that a view must have."""
    if by == BY_QUEUE:
        return {kpi.id: kpi for kpi in chosen(RULES, every, kind)}
    known = every_kpi(RULES).values()
    return {kpi.id: kpi for kpi in known if of_facts(kpi, by) and (kind or not kpi.variant_of)}


@pytest.mark.parametrize("by", KINDS, ids=" ".join)
def test_values_are_those_of_the_command(client: Client, world: list[FcrFact], by: tuple[str, ...]) -> None:
    apply_views(client, RULES, WORLD_ZONE)
    asked_by = by if by != BY_OWN else ("channel", "queue", "brand")
    for view, every, kind in KINDS[by]:
        known = shown_kpis(by, every, kind)
        now, found = within_a_minute(client, view)
        found = [row for row in found if row.get("dimension", "brand") == "brand"]
        here = {(ms(row["window_start"]), *(row[COLUMN.get(n, n)] for n in asked_by)): row for row in found}
        span = edges(now - 100 * DAY_MS, now + 100 * DAY_MS, "1M", ZoneInfo(WORLD_ZONE))
        asked = Question(span[1], span[-2], every, asked_by, (*known,), zone=WORLD_ZONE, as_of_ms=now)
        compared: set[str] = set()
        for line in answer(client, asked, RULES):
            if ("agent" in by and by != BY_ALL and not line["agent"]) or line.get("brand") == "":
                continue
            start = ms(datetime.fromisoformat(line["window_start"]))
            row = here.get((start, *(line[name] for name in asked_by)), {})
            for kpi_id, kpi in known.items():
                compared |= compare(kpi, line["kpis"][kpi_id], row, every)
        absent = set(ABSENT)
        if "agent" in by:  # who was abandoned had no agent
            absent |= {name for name in known if name.startswith("abandoned.within_")}
        if by == BY_OWN:  # who was turned away was not asked for a brand
            absent.add("rejected")
        assert {name for name in known if known[name].table != "surveys"} <= compared | absent, view
        assert compared, view


@pytest.mark.parametrize("view", ["kpi_day_wide", "agent_day_wide", "reason_day"])
def test_rows_are_added_up_by_the_rule(client: Client, world: list[FcrFact], view: str) -> None:
    """Whatever the KPI: over all days and queues the rule gives what `ringback kpi --every all` says."""
    apply_views(client, RULES, WORLD_ZONE)
    by = {"kpi": BY_QUEUE, "agent": BY_AGENT, "reason": BY_REASON}[view.partition("_")[0]]
    kind = WIDE if view.endswith(WIDE) else ""
    rules = {id_: added_up(kpi) for id_, kpi in shown_kpis(by, "1d", kind).items() if added_up(kpi)}
    columns = ", ".join(f"{rule} AS `{id_}`" for id_, rule in rules.items())
    while True:
        now = ms(datetime.now(UTC)) // 60_000 * 60_000
        (found,) = query(client, f"SELECT {columns} FROM {view}")
        if now == ms(datetime.now(UTC)) // 60_000 * 60_000:
            break
    span = edges(now - 100 * DAY_MS, now + 100 * DAY_MS, "1M", ZoneInfo(WORLD_ZONE))
    dimensions = ("agent",) if by == BY_AGENT else ()
    question = Question(span[1], span[-2], "all", dimensions, (*rules,), zone=WORLD_ZONE, as_of_ms=now)
    lines = [line for line in answer(client, question, RULES) if line.get("agent") != ""]
    if by == BY_AGENT:
        totals = {kpi.id for kpi in shown_kpis(by, "1d", kind).values() if not kpi.den}
        expected = {id_: merged([line["kpis"][id_] for line in lines], id_ in totals) for id_ in rules}
    else:
        expected = {id_: lines[0]["kpis"][id_]["value"] for id_ in rules}
    for id_, value in expected.items():
        assert (found[id_] or 0) == pytest.approx(value or 0, abs=1e-12), id_
    assert sum(value not in (None, 0) for value in expected.values()) > 30


def merged(values: list[Row], is_total: bool) -> float | None:
    """One value of several: the terms are summed first."""
    num, den = (sum(value[term] for value in values) for term in ("num", "den"))
    if values[0]["den"] == 1 and is_total:
        return num
    return num / den if den else None


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
    elif row.get("final"):
        assert answered["final"], kpi.id
    if kpi.figure is None and kpi.den:
        scale = kpi.parts if answered["num"] * kpi.parts == row[f"{name}_num"] else 1
        assert (row[f"{name}_num"], row[f"{name}_den"]) == (
            answered["num"] * scale,
            answered["den"] * scale,
        ), kpi.id
    return {kpi.id} if answered["n"] else set()


def test_a_condition_on_time_reads_little(client: Client, world: list[FcrFact]) -> None:
    apply_views(client, RULES, "Europe/Rome")
    names, zeros = ", ".join(MEASURES), ", ".join("0" for _ in MEASURES)
    client.command(
        f"INSERT INTO kpi_windows (window_start, channel, queue, partition, {names}, version) "
        "SELECT toDateTime64('2020-01-01 00:00:00', 3, 'UTC') + toIntervalMinute(number), 'voice', 'A', 0, "
        f"{zeros}, 1 FROM numbers(300000)"
    )
    client.command(
        "INSERT INTO leg_durations (kind, booked_at, contact_id, leg, version) "
        "SELECT 'waited', toDateTime64('2020-01-01', 3, 'UTC') + toIntervalMinute(number), 'c', 1, 1 "
        "FROM numbers(300000)"
    )
    span = "{0} >= '2020-03-02 00:00:00' AND {0} < '2020-03-12 00:00:00'"
    days = "local_date >= '2020-03-02' AND local_date < '2020-03-12'"
    for view, condition in (
        ("kpi_minute", span.format("window_start")),
        ("kpi_quarter_hour", span.format("window_start")),
        ("kpi_quarter_hour", span.format("local_time")),
        ("kpi_quarter_hour", days),
        ("kpi_half_hour", span.format("window_start")),
        ("kpi_hour", span.format("local_time")),
        ("kpi_day", days),
        ("kpi_day_wide", span.format("window_start")),
        ("kpi_week", days),
        ("kpi_quarter_hour_figures", span.format("local_time")),
        ("kpi_day_figures", days),
    ):
        value, table = (
            ("wait_p90", "leg_durations") if "figures" in view else ("service_level", "kpi_windows")
        )
        plan = client.query(
            f"EXPLAIN indexes = 1 SELECT window_start, {value} FROM {view} WHERE {condition}"
        ).result_rows
        text = "\n".join(row[0] for row in plan)
        read = re.findall(rf"{table}\)(?:(?!ReadFrom).)*?Granules: (\d+)/(\d+)", text, re.DOTALL)
        assert read, text
        assert all(int(some) <= int(every) / 5 for some, every in read), (view, condition, read)
    client.command("DELETE FROM kpi_windows WHERE window_start < '2021-01-01'")
    client.command("DELETE FROM leg_durations WHERE booked_at < '2021-01-01'")
