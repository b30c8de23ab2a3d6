"""Days of 23, 25, 23.5 and 24.5 hours: what `answer` gives for them, with values computed by hand."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from support.clickhouse import connect
from support.evaluate import World
from support.kpi_world import store

from kpis.rules import DEFAULT_RULES
from reports.kpi.answer import Question, answer
from schemas.events import ContactAnswered, ContactEvent, ContactQueued, ContactResolved, ContactStarted

pytestmark = pytest.mark.stack

KPIS = ("volume", "offered", "asa", "handled", "peak_hour")
# When contacts start, in local time with the offset in force: each waits 10 s and is talked to for 50 s.
STARTS = {
    "rome-spring": (  # 02:00 is 03:00: the day has 23 hours
        "2026-03-28T23:59+01:00",
        "2026-03-29T00:00+01:00",
        "2026-03-29T01:45+01:00",
        "2026-03-29T01:59+01:00",
        "2026-03-29T03:00+02:00",
        "2026-03-29T03:29+02:00",
        "2026-03-29T23:59+02:00",
        "2026-03-30T00:00+02:00",
    ),
    "rome-autumn": (  # 03:00 is 02:00: the day has 25 hours, and 02:30 is there twice
        "2026-10-24T23:59+02:00",
        "2026-10-25T00:00+02:00",
        "2026-10-25T02:30+02:00",
        "2026-10-25T02:45+02:00",
        "2026-10-25T02:00+01:00",
        "2026-10-25T02:30+01:00",
        "2026-10-25T23:59+01:00",
        "2026-10-26T00:00+01:00",
    ),
    "lord-howe-autumn": (  # 02:00 is 01:30: the day has 24.5 hours
        "2026-04-04T23:59+11:00",
        "2026-04-05T00:00+11:00",
        "2026-04-05T01:45+11:00",
        "2026-04-05T01:30+10:30",
        "2026-04-05T01:45+10:30",
        "2026-04-05T23:59+10:30",
        "2026-04-06T00:00+10:30",
    ),
    "lord-howe-spring": (  # 02:00 is 02:30: the day has 23.5 hours
        "2026-10-04T01:59+10:30",
        "2026-10-04T02:30+11:00",
        "2026-10-04T23:59+11:00",
    ),
}


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def contact(contact_id: str, start: str) -> list[ContactEvent]:
    """Queued at once, answered after 10 s, resolved after 60 s."""

    def of(number: int, seconds: int) -> dict[str, Any]:
        common = {"event_id": str(number), "contact_id": contact_id, "source": "hand"}
        return common | {"occurred_at": ms(start) + seconds * 1000}

    return [
        ContactStarted(**of(1, 0)),
        ContactQueued(**of(2, 0), queue="A"),
        ContactAnswered(**of(3, 10), agent="ann"),
        ContactResolved(**of(4, 60), outcome="resolved"),
    ]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = connect(tmp_path_factory.mktemp("days") / "db")
    starts = [(f"{name}-{n}", at) for name, times in STARTS.items() for n, at in enumerate(times)]
    store(client, World({own: contact(own, at) for own, at in starts}, [], DEFAULT_RULES))
    yield client
    client.close()


def ask(client: Client, begin: str, end: str, zone: str, every: str, *by: str) -> dict[str, dict[str, Any]]:
    """Begin and end of each period in UTC -> its KPIs."""
    rows = answer(client, Question(ms(begin), ms(end), every, by, KPIS, zone=zone), DEFAULT_RULES)
    return {f"{row['window_start']}/{row['window_end']}": row["kpis"] for row in rows}


def counted(found: dict[str, dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Contacts started, and legs handled: the last contact before midnight is handled after it."""
    return {period: (kpis["volume"]["num"], kpis["handled"]["num"]) for period, kpis in found.items()}


def peaks(found: dict[str, dict[str, Any]]) -> list[tuple[Any, int]]:
    return [(kpis["peak_hour"]["value"], kpis["peak_hour"]["n"]) for kpis in found.values()]


@pytest.mark.parametrize("by", [(), ("agent",)], ids=["windows", "facts"])
def test_a_day_of_23_hours(client: Client, by: tuple[str, ...]) -> None:
    days = ask(client, "2026-03-28T00:00+01:00", "2026-03-31T00:00+02:00", "Europe/Rome", "1d", *by)
    assert counted(days) == {
        "2026-03-27T23:00:00Z/2026-03-28T23:00:00Z": (1, 0),
        "2026-03-28T23:00:00Z/2026-03-29T22:00:00Z": (6, 6),
        "2026-03-29T22:00:00Z/2026-03-30T22:00:00Z": (1, 2),
    }
    sunday = days["2026-03-28T23:00:00Z/2026-03-29T22:00:00Z"]
    assert (sunday["asa"]["num"], sunday["asa"]["den"]) == (60_000, 6)
    # 01:45, 01:59, 03:00 and 03:29 are within one hour: 00:45 to 01:30 of UTC.
    assert peaks(days)[1] == ("2026-03-29T01:30:00+01:00", 4)


def test_hours_of_a_day_of_23_hours(client: Client) -> None:
    hours = ask(client, "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", "Europe/Rome", "1h")
    assert {period: volume for period, (volume, _) in counted(hours).items()} == {
        "2026-03-28T23:00:00Z/2026-03-29T00:00:00Z": 1,
        "2026-03-29T00:00:00Z/2026-03-29T01:00:00Z": 2,
        "2026-03-29T01:00:00Z/2026-03-29T02:00:00Z": 2,
        "2026-03-29T21:00:00Z/2026-03-29T22:00:00Z": 1,
    }


@pytest.mark.parametrize("by", [(), ("agent",)], ids=["windows", "facts"])
def test_a_day_of_25_hours(client: Client, by: tuple[str, ...]) -> None:
    days = ask(client, "2026-10-24T00:00+02:00", "2026-10-27T00:00+01:00", "Europe/Rome", "1d", *by)
    assert counted(days) == {
        "2026-10-23T22:00:00Z/2026-10-24T22:00:00Z": (1, 0),
        "2026-10-24T22:00:00Z/2026-10-25T23:00:00Z": (6, 6),
        "2026-10-25T23:00:00Z/2026-10-26T23:00:00Z": (1, 2),
    }
    # 02:30, 02:45 and, a quarter later, 02:00 again; at 02:30 the second time an hour is over.
    assert peaks(days)[1] == ("2026-10-25T02:15:00+02:00", 3)


def test_hours_of_a_day_of_25_hours(client: Client) -> None:
    hours = ask(client, "2026-10-25T02:00+02:00", "2026-10-25T03:00+01:00", "Europe/Rome", "1h")
    assert {period: volume for period, (volume, _) in counted(hours).items()} == {
        "2026-10-25T00:00:00Z/2026-10-25T01:00:00Z": 2,
        "2026-10-25T01:00:00Z/2026-10-25T02:00:00Z": 2,
    }


def test_lord_howe_shifts_by_half_an_hour(client: Client) -> None:
    zone = "Australia/Lord_Howe"
    days = ask(client, "2026-04-04T00:00+11:00", "2026-04-07T00:00+10:30", zone, "1d")
    assert counted(days) == {
        "2026-04-03T13:00:00Z/2026-04-04T13:00:00Z": (1, 0),
        "2026-04-04T13:00:00Z/2026-04-05T13:30:00Z": (5, 5),
        "2026-04-05T13:30:00Z/2026-04-06T13:30:00Z": (1, 2),
    }
    # 01:45, 01:30 again a quarter later, and 01:45 again: 14:45, 15:00 and 15:15 of UTC.
    assert peaks(days)[1] == ("2026-04-05T01:30:00+11:00", 3)
    hours = ask(client, "2026-04-05T01:00+11:00", "2026-04-05T02:00+10:30", zone, "1h")
    assert counted(hours) == {
        "2026-04-04T14:00:00Z/2026-04-04T15:00:00Z": (1, 1),
        "2026-04-04T15:00:00Z/2026-04-04T15:30:00Z": (2, 2),
    }
    # Half an hour is no hour.
    assert [value for value, _ in peaks(hours)] == ["2026-04-05T01:00:00+11:00", None]


def test_lord_howe_shifts_back(client: Client) -> None:
    zone = "Australia/Lord_Howe"
    days = ask(client, "2026-10-04T00:00+10:30", "2026-10-05T00:00+11:00", zone, "1d")
    assert counted(days) == {"2026-10-03T13:30:00Z/2026-10-04T13:00:00Z": (3, 2)}
    assert peaks(days) == [("2026-10-04T01:15:00+10:30", 2)]
    hours = ask(client, "2026-10-04T01:00+10:30", "2026-10-04T03:00+11:00", zone, "1h")
    assert {period: volume for period, (volume, _) in counted(hours).items()} == {
        "2026-10-03T14:30:00Z/2026-10-03T15:30:00Z": 1,
        "2026-10-03T15:30:00Z/2026-10-03T16:00:00Z": 1,
    }
