"""Waits in business hours: the oracle's arithmetic of weeks against the stream's list of open spans."""

import random
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from clickhouse_connect.driver.client import Client
from support.calendars import CALENDARS
from support.clickhouse import connect, events_to_rows

from kpis.business_hours import Calendar
from kpis.facts import LegFact
from kpis.fold.events import fold
from kpis.rules import Rules
from reports.oracle import MEMORY_BYTES
from schemas.clock_shifts import shifts
from schemas.event_fields import OCCURRED_AT_MAX, OCCURRED_AT_MIN
from schemas.events import ContactAnswered, ContactEvent, ContactQueued, ContactStarted
from schemas.time_units import DAY_MS, HOUR_MS, MINUTE_MS
from sinks.rule_parameters import rule_parameters
from sql import oracle_queries as oracle

pytestmark = pytest.mark.stack
ZONES = (
    "UTC", "Europe/Rome", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca",
    "America/St_Johns",
)  # fmt: skip
DAY = ((9 * HOUR_MS, 12 * HOUR_MS + MINUTE_MS), (13 * HOUR_MS, 17 * HOUR_MS))
NIGHT = ((0, 3 * HOUR_MS), (23 * HOUR_MS, DAY_MS))
CONTACTS = 4_000


def calendars(rng: random.Random) -> dict[str, Calendar]:
    """One per zone, with a year of days of their own every third day."""
    found = {}
    for zone in ZONES:
        week = tuple(rng.choice((DAY, NIGHT, (), ((0, DAY_MS),))) for _ in range(7))
        days = tuple((20_458 + n, rng.choice((DAY, NIGHT, ()))) for n in range(0, 365, 3))
        found[zone] = Calendar(zone, week, days)  # type: ignore[arg-type]
    return CALENDARS | found


def waits(rng: random.Random) -> Iterator[tuple[str, int, int]]:
    """Queue, begin and end: around shifts of the clock, in the days of their own, and anywhere."""
    known = {zone: shifts(OCCURRED_AT_MIN, OCCURRED_AT_MAX, ZoneInfo(zone)) for zone in ZONES}
    for number in range(CONTACTS):
        zone = rng.choice(ZONES)
        around = rng.choice(known[zone])[0]
        own = (20_458 + rng.randrange(365)) * DAY_MS
        begin = max(
            rng.choice((around, own, own)) + rng.randrange(-40 * HOUR_MS, 40 * HOUR_MS), OCCURRED_AT_MIN
        )
        length = rng.choice((MINUTE_MS, HOUR_MS, 3 * DAY_MS, 40 * DAY_MS))
        yield (
            (zone, "plain", "other")[number % 10 // 8 + number % 10 // 9],
            begin,
            begin + rng.randrange(length),
        )


def contact(contact_id: str, queue: str, begin: int, end: int) -> list[ContactEvent]:
    head = {"contact_id": contact_id, "source": "test", "leg": 1}
    return [
        ContactStarted(event_id="s", occurred_at=begin, **head),
        ContactQueued(event_id="q", occurred_at=begin, queue=queue, **head),
        ContactAnswered(event_id="a", occurred_at=end, agent="ann", **head),
    ]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    opened = connect(tmp_path_factory.mktemp("hours") / "db")
    yield opened
    opened.close()


@pytest.mark.parametrize("default", ["", "night"])
def test_stream_and_oracle_count_the_same_milliseconds(client: Client, default: str) -> None:
    rng = random.Random(12)
    named = calendars(rng)
    rules = Rules(calendars=named, calendar_by_queue={zone: zone for zone in ZONES}, calendar_default=default)
    contacts = {
        f"k{n}": contact(f"k{n}", queue, begin, min(end, OCCURRED_AT_MAX - 1))
        for n, (queue, begin, end) in enumerate(waits(rng))
    }
    # Not in `events`, which has a partition for each month.
    client.command("CREATE OR REPLACE TABLE spans AS events ENGINE = Memory")
    columns = events_to_rows(event for events in contacts.values() for event in events)
    client.insert("spans", [*columns.values()], column_names=[*columns], column_oriented=True)
    legs: list[LegFact] = [fold(events, rules).legs[0] for events in contacts.values()]
    query = f"SELECT contact_id, queue_ms, queue_business_ms FROM {oracle.legs(oracle.fold('spans'))}"
    found = client.query(
        query, parameters=rule_parameters(rules), settings=oracle.settings(MEMORY_BYTES) | oracle.WIDE
    ).result_rows
    assert {row[0]: tuple(row[1:]) for row in found} == {
        leg.contact_id: (leg.queue_ms, leg.queue_business_ms) for leg in legs
    }
    assert sum(0 < (leg.queue_business_ms or 0) < (leg.queue_ms or 0) for leg in legs) > CONTACTS / 4
