"""The wallboard over a real ClickHouse: its numbers are those of `ringback kpi`, and who may see them."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from support.wall_server import ZONE, Database, database, served
from support.wall_world import NOW_MS

from kpis.rules import DEFAULT_RULES
from reports.kpi.answer import answer
from reports.kpi.question import Question
from schemas.time_units import HOUR_MS, MINUTE_MS
from wallboard.config import parse
from wallboard.details import agent_document, explain_document, queue_document
from wallboard.local_day import day_start
from wallboard.server import Wall

pytestmark = pytest.mark.stack
MINUTE_NOW_MS = NOW_MS // MINUTE_MS * MINUTE_MS
DAY_START_MS = day_start(NOW_MS, ZONE)
TOKEN = b"a-token-of-the-wall"
DAY = ("offered", "answered", "abandoned", "service_level", "abandonment_rate", "asa", "aht")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with database(tmp_path_factory.mktemp("stack"), weeks=2, share=0.2, billing=1) as found:
        yield found


def asked(world: Database, kpis: tuple[str, ...], begin: int, end: int, as_of: int) -> dict[str, Any]:
    question = Question(begin, end, by=("queue",), kpis=kpis, zone=ZONE.key, as_of_ms=as_of)
    return {row["queue"]: row["kpis"] for row in answer(world.client, question, DEFAULT_RULES)}


def test_the_day_is_what_the_kpi_command_says(world: Database) -> None:
    wall = {one["queue"]: one for one in world.reader(now_ms=MINUTE_NOW_MS).now()["queues"]}
    said = asked(world, DAY, DAY_START_MS, MINUTE_NOW_MS, MINUTE_NOW_MS)
    assert {"support", "billing", "sales", "email"} <= wall.keys()
    for queue, tile in wall.items():
        for name, value in said.get(queue, {}).items():
            assert tile["day"][name] == [value["num"], value["den"]], (queue, name)
    assert sum(tile["day"]["offered"][0] for tile in wall.values()) > 200


def test_the_present_is_what_the_kpi_command_says(world: Database) -> None:
    document = world.reader().now()
    said = asked(
        world, ("waiting_now", "active_now", "longest_wait_now"), DAY_START_MS, MINUTE_NOW_MS, NOW_MS
    )
    assert document["total"]["live"]["waiting_now"] > 0
    for tile in document["queues"]:
        live, values = tile["live"], said.get(tile["queue"])
        assert live["waiting_now"] == (values["waiting_now"]["value"] if values else 0)
        assert live["active_now"] == (values["active_now"]["value"] if values else 0)
        assert live["oldest_ms"] == ((values["longest_wait_now"]["value"] or 0) if values else 0)


def test_the_last_half_hour_is_the_live_service_level(world: Database) -> None:
    begin = MINUTE_NOW_MS - 30 * MINUTE_MS
    tiles = world.reader(now_ms=MINUTE_NOW_MS).now()["queues"]
    said = asked(world, ("service_level_live",), begin, MINUTE_NOW_MS, MINUTE_NOW_MS)
    counted = [tile for tile in tiles if tile["live"]["live_n"]]
    assert len(counted) >= 4
    for tile in counted:
        value = said[tile["queue"]]["service_level_live"]
        assert [tile["live"]["live_in_target"], tile["live"]["live_n"]] == [value["num"], value["den"]]


def test_the_queue_without_agents_is_in_trouble(world: Database) -> None:
    tiles = {one["queue"]: one for one in world.reader().now()["queues"]}
    assert tiles["billing"]["state"] == "trouble"
    assert [reason["code"] for reason in tiles["billing"]["reasons"]] == ["service_level", "abandonment_rate"]
    assert (tiles["chat"]["state"], tiles["chat"]["reasons"]) == ("fine", [])


def test_the_course_adds_up_to_the_day_and_beside_it_is_the_usual_one(world: Database) -> None:
    quarter = MINUTE_NOW_MS // (15 * MINUTE_MS) * 15 * MINUTE_MS
    reader = world.reader(now_ms=quarter)
    day, slow = reader.day(), reader.slow()
    tiles = {one["queue"]: one for one in reader.now()["queues"]}
    for queue in ("support", "sales", "chat"):
        course = day["course"][queue]
        assert sum(course["offered"]) == tiles[queue]["day"]["offered"][0]
        assert len(course["offered"]) == (quarter - DAY_START_MS) // (15 * MINUTE_MS)
        usual = slow["usual"][queue]
        assert (usual["days"], len(usual["offered"])) == (2, 96)
        assert sum(usual["offered"]) > sum(course["offered"])  # a whole day beside half of one
    assert slow["quality"]["support"]["fcr_gross"]["den"] > 0
    assert not slow["quality"]["support"]["fcr_gross_provisional"]["final"]
    assert day["agents"]["states"]["on_contact"] == sum(one["live"]["active_now"] for one in tiles.values())
    assert [source["silent"] for source in day["sources"]] == [False]
    assert reader.now()["alerts"] is None


def test_of_a_named_queue_nothing_is_counted_beside_what_is_usual(world: Database) -> None:
    course = world.reader(parse("queues: [{queue: nobody}]"), MINUTE_NOW_MS).course(MINUTE_NOW_MS)
    assert course["nobody"]["offered"] == [0] * len(course["support"]["offered"])


def test_behind_a_number_are_the_contacts_that_make_it(world: Database) -> None:
    reader = world.reader(now_ms=MINUTE_NOW_MS)
    tile = next(one for one in reader.now()["queues"] if one["queue"] == "billing")
    told = explain_document(reader, "service_level", "billing", DAY_START_MS, MINUTE_NOW_MS)
    assert [told["num"], told["den"]] == tile["day"]["service_level"]
    assert told["of"] >= len(told["contacts"]) > 0
    assert "customer_key" not in json.dumps(told)
    waiting = explain_document(reader, "waiting_now", "billing", 0, 0)
    assert waiting["value"] == tile["live"]["waiting_now"]
    with pytest.raises(ValueError, match="at most a day"):
        explain_document(reader, "asa", None, DAY_START_MS - 40 * HOUR_MS, MINUTE_NOW_MS)


def test_agents_of_a_queue_and_an_agents_day(world: Database) -> None:
    agents = queue_document(world.reader(), "support")["agents"]
    busiest = max(agents, key=lambda one: one["legs_n"])
    day = agent_document(world.reader(), busiest["agent"])
    of_queue = [leg for leg in day["legs"] if leg["queue"] == "support"]
    assert len(of_queue) == busiest["legs_n"]
    assert sum(leg["handle_ms"] or 0 for leg in of_queue) == busiest["handled_ms"]


async def first(stream: aiohttp.StreamReader, kind: str) -> dict[str, Any]:
    """The next document of a kind in a stream of events."""
    async with asyncio.timeout(10):
        while line := await stream.readline():
            if line == f"event: {kind}\n".encode():
                found: dict[str, Any] = json.loads((await stream.readline()).removeprefix(b"data: "))
                return found
    raise AssertionError(f"the stream ended without {kind}")


async def test_viewers_share_one_reading_and_it_ends_with_the_last_of_them(world: Database) -> None:
    config = parse("{title: House, queues: [{queue: billing, name: Bills}], others: false}")
    wall = Wall(world.reader(config))
    async with served(wall) as url, aiohttp.ClientSession() as session:
        answers = [await session.get(f"{url}/events") for _ in range(5)]
        assert (await first(answers[0].content, "hello"))["title"] == "House"
        shown = [await first(one.content, "now") for one in answers]
        assert [tile["name"] for tile in shown[0]["queues"]] == ["Bills"]
        await first(answers[4].content, "now")
        assert wall.feed.viewers == 5
        reads = wall.metrics.registry.get_sample_value(
            "ringback_wallboard_read_seconds_count", {"part": "now"}
        )
        assert reads is not None
        assert reads <= 4
        for one in answers:
            one.close()
        until = time.monotonic() + 15
        while wall.feed.viewers:
            assert time.monotonic() < until
            await asyncio.sleep(0.1)


async def test_without_a_token_only_this_machine_is_served(world: Database) -> None:
    async with served(Wall(world.reader())) as url, aiohttp.ClientSession() as session:
        async with session.get(url) as page:
            assert page.status == 200
            assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        async with session.get(url, headers={"Host": "evil.example"}) as page:
            assert page.status == 421
        async with session.get(f"{url}/static/../server.py") as page:
            assert page.status == 404
        async with session.get(f"{url}/api/explain?kpi=nonsense&from=0&to=60000") as page:
            assert (page.status, "no KPI" in (await page.json())["error"]) == (400, True)


async def test_with_a_token_a_screen_shows_it_once(world: Database) -> None:
    jar = aiohttp.CookieJar(unsafe=True)  # it keeps no cookies of an address without a name otherwise
    closed = ("/", "/events", "/api/queue?queue=sales", "/static/js/main.js", "/?token=wrong")
    wall = Wall(world.reader())
    async with served(wall, (TOKEN,)) as url, aiohttp.ClientSession(cookie_jar=jar) as session:
        for path in closed:
            async with session.get(url + path) as page:
                assert page.status == 401, path
        async with session.get(f"{url}/?token={TOKEN.decode()}") as page:
            assert (page.status, page.url.query_string) == (200, "")
        async with session.get(f"{url}/api/queue?queue=sales") as page:
            assert page.status == 200
        cookie = next(iter(jar))
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
        assert TOKEN.decode() not in cookie.value


async def test_a_database_that_is_away_is_said_and_the_page_stays(world: Database) -> None:
    async with served(Wall(world.reader())) as url, aiohttp.ClientSession() as session:
        answered = await session.get(f"{url}/events")
        before = await first(answered.content, "now")
        world.process.stop()
        try:
            away = await first(answered.content, "away")
            assert away["since_ms"] >= before["read_ms"] - 1_000
            async with session.get(f"{url}/api/queue?queue=sales") as page:
                assert page.status == 503
            async with session.get(url) as page:
                assert page.status == 200
        finally:
            world.process.start()
        await first(answered.content, "now")
        answered.close()
