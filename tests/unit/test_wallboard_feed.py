"""One reading for all viewers: none of them waits for another, and nobody reads for nobody."""

import asyncio
from typing import Any

import pytest
import structlog

from wallboard.feed import Feed
from wallboard.metrics import Metrics
from wallboard.polling import Part, pause_s, poll


@pytest.fixture(autouse=True)
def _own_log() -> None:
    structlog.reset_defaults()  # a command may have left a stream that is closed


async def test_every_viewer_gets_the_latest_and_a_slow_one_skips_what_is_between() -> None:
    feed = Feed()
    feed.join()
    feed.publish("now", {"n": 1})
    seen, text = await feed.after(0, 1)
    assert b'"n":1' in text
    feed.publish("now", {"n": 2})
    feed.publish("now", {"n": 3})
    seen, text = await feed.after(seen, 1)
    assert b'"n":3' in text
    assert b'"n":2' not in text
    assert await feed.after(seen, 0.01) == (seen, b"")


async def test_who_waits_is_woken() -> None:
    feed = Feed()
    waiting = [asyncio.create_task(feed.after(0, 5)) for _ in range(50)]
    await asyncio.sleep(0)
    feed.publish("now", {"n": 1})
    assert {text for _, text in await asyncio.gather(*waiting)} == {feed._frames["now"][1]}


async def test_what_is_old_is_not_shown_to_who_comes_later() -> None:
    feed = Feed()
    feed.join()
    feed.publish("now", {"n": 1})
    feed.leave()
    assert (await feed.after(0, 0.01))[1] == b""


async def reads(feed: Feed, fails: bool = False, period_s: float = 0.01) -> list[int]:
    calls: list[int] = []

    def read() -> dict[str, Any]:
        calls.append(1)
        if fails and len(calls) < 3:
            raise ConnectionRefusedError("refused")
        return {"n": len(calls)}

    task = asyncio.create_task(poll(Part("now", period_s, read), feed, Metrics()))
    done, _ = await asyncio.wait({task}, timeout=0.4)
    assert not done, task.exception()
    task.cancel()
    return calls


async def test_nothing_is_read_while_nobody_watches() -> None:
    feed = Feed()
    assert await reads(feed) == []
    feed.join()
    assert await reads(feed)


async def test_who_comes_after_nobody_watched_does_not_wait_for_a_slow_part() -> None:
    feed = Feed()
    feed.join()
    task = asyncio.create_task(poll(Part("slow", 300, lambda: {"n": 1}), feed, Metrics()))
    seen, text = await feed.after(0, 2)
    assert b'"n":1' in text
    feed.leave()
    feed.join()
    assert b'"n":1' in (await feed.after(seen, 2))[1]
    task.cancel()


async def test_a_database_that_is_away_is_told_and_comes_back() -> None:
    feed = Feed()
    feed.join()
    await reads(feed, fails=True)
    assert "away" not in feed._frames
    assert b'"n":' in feed._frames["now"][1]


async def test_while_it_is_away_the_age_of_what_was_read_grows() -> None:
    feed = Feed()
    feed.join()
    feed.publish("now", {"n": 7})
    before = feed._frames["now"]
    await reads(feed, fails=True, period_s=10)
    assert feed._frames["now"] == before
    assert b"refused" in feed._frames["away"][1]


def test_a_slow_database_is_asked_less_often() -> None:
    assert pause_s(1, 0.1) == 0.9
    assert pause_s(1, 2) == 2
