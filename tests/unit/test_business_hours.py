"""Business hours against a clock that is read minute by minute."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kpis.business_hours import Calendar, business_ms
from schemas.time_units import DAY_MS, MINUTE_MS

EPOCH = date(1970, 1, 1)
# A clock that is put forward and back by an hour, by half of one, at midnight, by a day.
SHIFTS = {
    "Europe/Rome": ("2026-03-28", "2026-10-24"),
    "Australia/Lord_Howe": ("2026-04-04", "2026-10-03"),
    "America/Sao_Paulo": ("2018-02-17", "2018-11-03"),
    "Pacific/Apia": ("2011-12-29",),
    "Asia/Kathmandu": ("2026-01-01",),
}
CASES = [(zone, day) for zone, days in SHIFTS.items() for day in days]


def random_hours(rng: random.Random) -> tuple[tuple[int, int], ...]:
    cuts = sorted(rng.sample(range(24 * 60 + 1), rng.choice((0, 2, 2, 4))))
    return tuple((a * MINUTE_MS, b * MINUTE_MS) for a, b in zip(cuts[::2], cuts[1::2], strict=True))


def random_calendar(rng: random.Random, zone: str, day: str) -> Calendar:
    first = (date.fromisoformat(day) - EPOCH).days
    own = tuple((first + n, random_hours(rng)) for n in range(4) if rng.random() < 0.3)
    return Calendar(zone, tuple(random_hours(rng) for _ in range(7)), own)  # type: ignore[arg-type]


def is_open(calendar: Calendar, minute_ms: int) -> bool:
    local = datetime.fromtimestamp(minute_ms // 1000, UTC).astimezone(ZoneInfo(calendar.zone))
    hours = dict(calendar.days).get((local.date() - EPOCH).days, calendar.week[local.weekday()])
    since_midnight = (local.hour * 60 + local.minute) * MINUTE_MS
    return any(begin <= since_midnight < end for begin, end in hours)


@pytest.mark.parametrize(("zone", "day"), CASES)
def test_every_minute_that_the_clock_shows_an_open_time_counts(zone: str, day: str) -> None:
    rng = random.Random(zone + day)
    begin = round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
    for _ in range(3):
        calendar = random_calendar(rng, zone, day)
        minutes = [begin + n * MINUTE_MS for n in range(3 * 24 * 60)]
        opened = [is_open(calendar, minute) for minute in minutes]
        for _ in range(20):
            a, b = sorted(rng.choices(range(len(minutes)), k=2))
            assert business_ms(calendar, minutes[a], minutes[b]) == sum(opened[a:b]) * MINUTE_MS
        for _ in range(40):
            n, within = rng.randrange(len(minutes)), rng.randrange(MINUTE_MS)
            assert business_ms(calendar, minutes[n], minutes[n] + within) == opened[n] * within


def test_an_hour_shown_twice_is_served_twice_and_one_left_out_is_not() -> None:
    night = ((2 * 60 * MINUTE_MS, 3 * 60 * MINUTE_MS),)
    calendar = Calendar("Europe/Rome", (night,) * 7)  # type: ignore[arg-type]

    def served(day: str) -> int:
        begin = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Rome"))
        end = begin + timedelta(days=1)
        return business_ms(calendar, round(begin.timestamp() * 1000), round(end.timestamp() * 1000))

    hours = [served(day) // (60 * MINUTE_MS) for day in ("2026-10-24", "2026-10-25", "2026-03-29")]
    assert hours == [1, 2, 0]


def test_without_a_calendar_all_time_counts() -> None:
    assert business_ms(None, 5, DAY_MS) == DAY_MS - 5
