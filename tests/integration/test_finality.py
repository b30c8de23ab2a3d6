"""When a period is final: not while its end can come, but no longer than that (case 43)."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.clickhouse import connect
from support.evaluate import World
from support.kpi_world import Stored, store

from adapters.events.times import to_ms
from kpis.rules import DEFAULT_RULES
from reports.kpi.answer import Question, answer
from schemas.events import MODELS, ContactEvent
from schemas.time_units import DAY_MS, HOUR_MS, MINUTE_MS

pytestmark = pytest.mark.stack
CASE = Path(__file__).parents[1] / "data" / "cases" / "43-lost-end-final.jsonl"
BEGIN, END = 1_675_209_600_000, 1_677_628_800_000  # February 2023
LOST_AT = 1_675_242_000_000  # 2023-02-01T09:00Z
NOW = 1_795_000_000_000  # November 2026
KPIS = ("offered", "asa", "service_level", "wait_p90", "longest_wait", "service_level_live")


def lost_and_found(channel: str) -> dict[str, list[ContactEvent]]:
    """The contacts of the case on a channel, each event twice, in any order."""
    lines = [json.loads(line) for line in CASE.read_text("utf-8").splitlines()] * 2
    random.Random(43).shuffle(lines)
    contacts: dict[str, list[ContactEvent]] = {}
    for line in lines:
        line |= {"occurred_at": to_ms(line["occurred_at"]), "channel": channel}
        event: Any = MODELS[line["type"]].model_validate(line)
        contacts.setdefault(event.contact_id, []).append(event)
    return contacts


@pytest.fixture(scope="module", params=["voice", "email"])
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    client = connect(tmp_path_factory.mktemp(request.param) / "db")
    yield store(client, World(lost_and_found(request.param)))
    client.close()


def limit(stored: Stored) -> int:
    """The moment from which on February is final."""
    email = any(leg.channel == "email" for leg in stored.legs)
    return LOST_AT + MINUTE_MS + (30 * DAY_MS if email else 12 * HOUR_MS)


def finality(stored: Stored, as_of: int, by: tuple[str, ...], from_oracle: bool = False) -> set[bool]:
    """Of all KPIs of the queue, where anything was counted."""
    question = Question(BEGIN, END, "1M", by, KPIS, from_oracle, as_of_ms=as_of)
    rows = answer(stored.client, question, DEFAULT_RULES)
    values = [v for row in rows if row.get("agent", "") == "" for v in row["kpis"].values()]
    return {value["final"] for value in values if value["n"] and value["unit"] != "hour"}


@pytest.mark.parametrize(
    ("by", "from_oracle"),
    [
        (("queue",), False),
        (("agent",), False),
        (("reason", "channel"), False),
        (("queue",), True),
        (("reason", "channel"), True),
    ],
    ids=str,
)
def test_a_lost_end_is_waited_for_until_the_stale_limit(
    stored: Stored, by: tuple[str, ...], from_oracle: bool
) -> None:
    at = limit(stored)
    provisional = finality(stored, at - 1, by, from_oracle)
    assert False in provisional
    assert finality(stored, at, by, from_oracle) == {True}
    assert finality(stored, NOW, by, from_oracle) == {True}


def test_the_values_of_the_case(stored: Stored) -> None:
    question = Question(BEGIN, END, "1M", ("queue",), ("offered", "answered", "longest_wait"), as_of_ms=NOW)
    (row,) = answer(stored.client, question, DEFAULT_RULES)
    assert {name: v["num"] for name, v in row["kpis"].items()} == {
        "offered": 2, "answered": 1, "longest_wait": 5_000,
    }  # fmt: skip
