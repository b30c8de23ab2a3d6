"""The course of a day, local days, episodes of alerts, freshness: what needs no database."""

from zoneinfo import ZoneInfo

from schemas.time_units import DAY_MS, HOUR_MS, MINUTE_MS
from wallboard.alerts import Alert, episodes, firing_by_queue
from wallboard.course import empty, slots_by_queue, usual, usual_documents
from wallboard.doors import Doors, cookie_of
from wallboard.local_day import day_end, day_start, slot_of
from wallboard.sources import agents_document, freshness_document

BERLIN = ZoneInfo("Europe/Berlin")
SUNDAY_MS = 1_792_886_400_000  # 2026-10-25, 00:00 UTC: the clock goes back that night
SUMS = {"offered": 2, "abandoned": 1, "answered_in_target": 1, "service_level_n": 2}


def test_a_day_of_25_hours_is_whole_and_its_slots_are_those_of_the_clock() -> None:
    begin, end = day_start(SUNDAY_MS, BERLIN), day_end(SUNDAY_MS, BERLIN)
    assert (begin, end - begin) == (SUNDAY_MS - 2 * HOUR_MS, 25 * HOUR_MS)
    assert slot_of(SUNDAY_MS, BERLIN) == slot_of(SUNDAY_MS + HOUR_MS, BERLIN) == 8  # 02:00, twice
    before = day_start(SUNDAY_MS, BERLIN, 1)
    assert day_end(SUNDAY_MS, BERLIN, 1) - before == DAY_MS
    assert slot_of(before + 9 * HOUR_MS, BERLIN) == 36


def test_channels_of_a_queue_and_hours_that_repeat_add_up() -> None:
    found = slots_by_queue([("a", 8, SUMS), ("a", 8, SUMS), ("b", 0, SUMS)])
    assert found["a"][8] == {name: 2 * value for name, value in SUMS.items()}
    assert found["b"][0] == SUMS


def test_the_usual_course_is_the_median_of_days_with_contacts() -> None:
    assert usual([[1, 9], [3, 1], [2, 5], [0, 0]]) == [2.0, 5.0]
    assert usual([[0, 0]]) == []
    days = [slots_by_queue([("a", 0, SUMS)]), {"a": empty()}, {}]
    assert usual_documents(days)["a"]["days"] == 1


def change(
    kind: str, at: int, episode: str = "e", queue: str = "sales"
) -> tuple[str, str, str, int, int, str]:
    return ("Dip", f'[["queue","{queue}"]]', kind, at, 1_000, episode)


def test_an_alert_fires_from_its_first_change_to_its_end() -> None:
    now = 10 * HOUR_MS
    firing = [change("pending", now - 9_000), change("firing", now - 5_000)]
    assert episodes(firing[:1], now) == ()
    assert episodes(firing, now - 6_000) == ()  # not yet
    assert episodes(firing, now) == (Alert("Dip", "sales", 1_000, None),)
    assert firing_by_queue(episodes(firing, now)) == {"sales": ["Dip"]}
    over = [*firing, change("resolved", now - 1_000)]
    assert episodes(over, now) == (Alert("Dip", "sales", 1_000, now - 1_000),)
    assert firing_by_queue(episodes(over, now)) == {}
    assert episodes(over, now + 2 * HOUR_MS) == ()


def part(name: str, beat_ms: int = 0, event_ms: int = 0, kind: str = "source") -> dict[str, object]:
    return {"part": kind, "name": name, "beat_ms": beat_ms, "event_ms": event_ms}


def test_a_source_is_silent_when_neither_beat_nor_event_came() -> None:
    now = DAY_MS
    rows = [part("pbx", now - 400_000, now - 100_000), part("crm", now - 301_000), part("ahead", 0, now + 9)]
    found = freshness_document(rows, now, 300)["sources"]
    assert [(one["name"], one["silent"]) for one in found] == [
        ("ahead", False),
        ("crm", True),
        ("pbx", False),
    ]


def test_counting_is_behind_when_newer_events_are_told_than_counted() -> None:
    now = DAY_MS
    told, counted = part("", 0, now - 1_000, "told"), part("", 0, now - 10 * MINUTE_MS, "counted")
    assert freshness_document([told, counted], now, 300)["behind_ms"] == 10 * MINUTE_MS - 1_000
    level = part("", 0, now - MINUTE_MS, "counted")
    assert freshness_document([told, level], now, 300)["behind_ms"] == 0
    future = part("", 0, now + HOUR_MS, "told")
    assert freshness_document([future, level], now, 300)["behind_ms"] == 0


def test_who_has_a_contact_is_on_it_whatever_the_log_on_says() -> None:
    states = [{"agent": "ann", "state": "break"}, {"agent": "bob", "state": "available"}]
    busy = [{"agent": "ann", "queue": "sales", "talks": 1}, {"agent": "eve", "queue": "sales", "talks": 0}]
    found = agents_document(states, busy)
    assert found["states"] == {"on_contact": 1, "wrap_up": 1, "available": 1}
    assert found["queues"] == {"sales": {"on_contact": 1, "wrap_up": 1}}


def test_a_cookie_or_token_of_odd_bytes_is_a_wrong_one() -> None:
    doors = Doors((b"a-token-of-the-wall",))
    assert doors.passes(cookie_of(doors.tokens[0]))
    assert not doors.passes("\udcff")  # as aiohttp has the byte ff of a header
    assert doors.token("\udcff") is None
    assert doors.token("a-token-of-the-wall") == doors.tokens[0]
