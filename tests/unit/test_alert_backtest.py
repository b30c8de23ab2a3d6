"""Backtests see at each step what had been published by then; pictures show what was decided."""

import random
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.backtest import Course
from alerts.detectors import detector_of
from alerts.episodes import of_parts
from alerts.known import IMPORTED_MS, AsKnown, feeds_of
from alerts.label_sets import WINDOWS, series_of
from alerts.picture import picture
from alerts.rule import Group, RuleFile
from alerts.timeline import marks
from kpis.catalogue.every_kpi import every_kpi
from kpis.dips.ladder import Series
from kpis.rules import DEFAULT_RULES
from reports.minutes import MinuteSums
from reports.published import Publication

M, H = 60_000, 3_600_000
BASE = 1_767_571_200_000
KPIS = every_kpi(DEFAULT_RULES)
KPI = KPIS["service_level"]


def group(**changes: Any) -> Group:
    when = {"type": "objective", "op": "<", "target": 0.8}
    rule = {"alert": "Low", "kpi": "service_level", "by": ["queue"], "when": when} | changes
    return RuleFile.model_validate({"version": 1, "groups": [{"name": "g", "rules": [rule]}]}).groups[0]


def publication(rng: random.Random) -> Publication:
    """A minute of one of two queues and partitions, known sooner or later, or corrected."""
    minute = BASE + rng.randrange(30) * M
    n = rng.choice((0, 3, 6))
    sums = {"answered_in_target": rng.randint(0, n), "service_level_n": n}
    known_at = minute + rng.choice((M, 2 * M, 20 * M, IMPORTED_MS + H))
    return Publication(known_at, known_at // 7, minute, "voice", rng.choice("AB"), rng.randrange(2), sums)


def read_at(found: list[Publication], queue: str, moment: int) -> Series:
    """What ClickHouse answers at a moment: of each partition's minute the newest version, summed up."""
    newest: dict[tuple[int, int], Publication] = {}
    for each in found:
        if each.queue == queue and each.known_at <= moment:
            key = each.minute, each.partition
            if key not in newest or newest[key].version < each.version:
                newest[key] = each
    minutes = [MinuteSums(each.minute, "voice", queue, each.sums) for each in newest.values()]
    parts = series_of(group().rules[0], KPIS, {WINDOWS: minutes}, ())
    return parts[(("queue", queue),)][0] if parts else Series()


@given(st.integers(0, 2**32), st.integers(1, 60))
@settings(max_examples=60)
def test_a_step_sees_what_was_published_by_then(seed: int, number: int) -> None:
    rng = random.Random(seed)
    rule = group().rules[0]
    found = sorted((publication(rng) for _ in range(number)), key=lambda each: each.known_at)
    # What was imported later is known from the begin on: that is another test's.
    late = {(each.minute, each.queue) for each in found}
    late -= {(each.minute, each.queue) for each in found if each.known_at <= each.minute + IMPORTED_MS}
    found = [each for each in found if (each.minute, each.queue) not in late]
    feeds = feeds_of(rule, KPI, found, [], ())
    assert {labels[0][1] for labels in feeds} == {each.queue for each in found}
    for moment in range(BASE, BASE + 60 * M, 3 * M):
        for labels, feed in feeds.items():
            feed.until(moment)
            assert feed.series == read_at(found, labels[0][1], moment)


def test_what_was_imported_is_known_from_the_begin_on() -> None:
    sums = {"answered_in_target": 3, "service_level_n": 4}
    found = [Publication(BASE + 2 * IMPORTED_MS, 1, BASE, "voice", "A", 0, sums)]
    feeds = feeds_of(group().rules[0], KPI, found, [MinuteSums(BASE, "voice", "A", sums)], ())
    (feed,) = feeds.values()
    assert feed.series.since(BASE, BASE + M) == (3, 4)


@pytest.mark.parametrize(("delay_min", "fired_min"), [(0, 68), (10, 77)])
def test_an_adapter_that_stalls_pages_later(delay_min: int, fired_min: int) -> None:
    """An hour is well, the next is not; its minutes come so many minutes late."""
    own, found = group(settle="1m"), []
    for number in range(180):
        bad = number >= 60
        sums = {"answered_in_target": 1 if bad else 10, "service_level_n": 10}
        known_at = BASE + (number + 1 + delay_min * bad) * M
        found.append(Publication(known_at, number, BASE + number * M, "voice", "A", 0, sums))
    found.sort(key=lambda each: each.known_at)
    rule = own.rules[0]
    ((labels, feed),) = feeds_of(rule, KPI, found, [], ()).items()
    looking = AsKnown(detector_of(rule, KPI, "UTC"), (feed,), M)
    (episode,) = of_parts(own, rule, KPI, labels, [feed.series], (BASE, BASE + 3 * H), looking)
    assert abs((episode.fired_at - BASE) // M - fired_min) <= 3
    assert episode.ended_at is None


def test_a_picture_shows_line_threshold_and_episodes() -> None:
    own = group(by=["channel", "queue"])
    rule, queue = own.rules[0], 'sales <&"'
    minutes = [
        MinuteSums(BASE + number * M, "voice", queue,
                   {"answered_in_target": 2 if 120 <= number < 180 else 9, "service_level_n": 10})
        for number in range(360) if not 200 <= number < 220
    ]  # fmt: skip
    ((labels, parts),) = series_of(rule, KPIS, {WINDOWS: minutes}, ()).items()
    span = (BASE, BASE + 6 * H)
    found = list(of_parts(own, rule, KPI, labels, parts, span, detector_of(rule, KPI, "UTC")))
    text = picture([Course("g", rule, KPI, labels, parts, found)], span, "Europe/Rome")
    root = ElementTree.fromstring(text)  # noqa: S314 -- our own
    spaced = "{http://www.w3.org/2000/svg}"
    boxes = [each for each in root.iter(f"{spaced}rect") if each.get("class") == "e"]
    assert len(boxes) == len(found) == 1
    left = 70 + (found[0].fired_at - BASE) / (6 * H) * 960
    assert abs(float(str(boxes[0].get("x"))) - left) < 1
    lines = [each for each in root.iter(f"{spaced}polyline") if each.get("class") == "k"]
    assert len(lines) == 2  # nobody called for twenty minutes
    assert [each.get("points") for each in root.iter(f"{spaced}polyline") if each.get("class") == "l"] == [
        "70.0,70.0 1030.0,70.0"
    ]
    said = "".join(root.itertext())
    assert f"Low channel=voice queue={queue}: service_level, 1 episode" in said
    assert "2026-01-05 01:00 to 2026-01-05 07:00 (Europe/Rome)" in said


@pytest.mark.parametrize(
    ("begin", "hours", "zone", "said"),
    [
        (BASE, 9, "Europe/Rome", [f"{hour:02}:00" for hour in range(1, 11)]),
        (BASE, 1, "UTC", ["5 Jan", *(f"00:{minute:02}" for minute in range(5, 60, 5)), "01:00"]),
        (BASE, 48, "UTC", ["5 Jan", "06:00", "12:00", "18:00", "6 Jan", "06:00", "12:00", "18:00", "7 Jan"]),
        # The clock is put forward on 29 March: a day of 23 hours.
        (1_774_652_400_000, 95, "Europe/Rome", ["28 Mar", "12:00", "29 Mar", "12:00", "30 Mar", "12:00",
                                                "31 Mar", "12:00", "1 Apr"]),
        (BASE, 24 * 20, "UTC", [f"{day} Jan" for day in range(5, 26, 2)]),
    ],
)  # fmt: skip
def test_the_axis_has_full_hours_and_days_of_the_local_clock(
    begin: int, hours: int, zone: str, said: list[str]
) -> None:
    assert [text for _, text in marks((begin, begin + hours * H), zone)] == said
