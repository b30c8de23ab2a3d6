"""Agents' quarter-hours by SQL and by Python, of legs folded from events and of legs made up."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from support.clickhouse import connect, load
from support.worlds import AGENTS, BASE_MS, DAY_MS, random_contact, random_states
from test_oracle import assert_equal, plain

from kpis.agents.quarters import agent_quarters
from kpis.agents.sessions import AgentSession, sessions_of
from kpis.facts import AgentQuarter, Facts, LegFact
from kpis.fold.events import fold
from kpis.rules import Rules
from reports.oracle import MEMORY_BYTES
from schemas.codec import encode
from schemas.events import AgentStateChanged
from sinks.rows import LEG_COLUMNS, fact_row
from sinks.rule_parameters import rule_parameters
from sql import oracle_queries as oracle

pytestmark = pytest.mark.stack

SEED = 20_260_105
CONTACTS, LEGS, MADE_UP = 1_500, 6_000, 150
RULES = Rules()
QUARTER_MS = 900_000
LENGTHS_MS = (0, 0, 1, 137, 60_000, 899_999, 900_000, 900_001, 7_200_000, 43_199_999, 43_200_000, 43_200_001)
BLANK = {field.name: 0 if field.type is int else "" for field in fields(LegFact)} | {
    field.name: None for field in fields(LegFact) if "None" in str(field.type)
}


@dataclass
class World:
    """Tables `folded_legs`, `made_up_legs` and `agent_events`, and what Python knows of them."""

    client: Client
    folded: list[LegFact]
    made_up: list[LegFact]
    states: list[AgentStateChanged]


def random_leg(rng: random.Random, number: int) -> LegFact:
    """A leg of one of many agents, with times on and beside the edges of quarter-hours."""
    answered_at = BASE_MS + rng.randrange(300) * QUARTER_MS + rng.choice((0, 0, -1, 1, 137, 450_000))
    handled_at = answered_at + rng.choice(LENGTHS_MS)
    return LegFact(**BLANK | {
        "contact_id": f"m{number}",
        "leg": 1,
        "channel": rng.choice(("voice", "voice", "chat", "email", "fax")),
        "agent": f"agent {rng.randrange(MADE_UP)}" if rng.random() < 0.95 else "",
        "team": rng.choice(("t1", "t2", "", "Ω", "z")),
        "entered_at": answered_at,
        "answered_at": answered_at if rng.random() < 0.95 else None,
        "handled_at": handled_at if rng.random() < 0.95 else None,
        "handled": 1,
        "flags": (),
        "dimensions": {},
    })  # type: ignore[arg-type]  # fmt: skip


def store(client: Client, table: str, legs: Iterable[LegFact]) -> None:
    client.command(f"CREATE TABLE {table} AS legs")
    lines = [fact_row(LEG_COLUMNS, asdict(leg), 1) for leg in legs]
    client.insert(table, lines, column_names=LEG_COLUMNS)


def store_states(client: Client, states: Iterable[AgentStateChanged]) -> None:
    columns = ("agent", "event_id", "revision", "team", "state", "occurred_at", "source")
    lines = [[*(getattr(event, name) for name in columns), encode(event)] for event in states]
    client.insert("agent_events", lines, column_names=(*columns, "canonical"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    rng = random.Random(SEED)
    client = connect(tmp_path_factory.mktemp("agents") / "db")
    events = [random_contact(rng, f"k{number}") for number in range(CONTACTS)]
    load(client, (event for some in events for event in some))
    client.command("CREATE TABLE folded_legs ENGINE = MergeTree ORDER BY contact_id AS SELECT * FROM "
                   + oracle.legs(oracle.fold()), parameters=rule_parameters(RULES))  # fmt: skip
    made_up = [random_leg(rng, number) for number in range(LEGS)]
    store(client, "made_up_legs", made_up)
    names = [*AGENTS, *(f"agent {number}" for number in range(MADE_UP)), "never called"]
    states = [event for name in names for event in random_states(rng, name)]
    store_states(client, states)
    yield World(client, [leg for some in events for leg in fold(some, RULES).legs], made_up, states)
    client.close()


def winners(states: Iterable[AgentStateChanged]) -> dict[str, list[AgentStateChanged]]:
    """By agent: of each event id the greatest (revision, canonical)."""
    found: defaultdict[str, dict[str, AgentStateChanged]] = defaultdict(dict)
    for event in sorted(states, key=lambda item: (item.revision, encode(item))):
        found[event.agent][event.event_id] = event
    return {agent: list(events.values()) for agent, events in found.items()}


def quarters(legs: Iterable[LegFact], states: Iterable[AgentStateChanged]) -> list[AgentQuarter]:
    """By Python."""
    sessions: defaultdict[str, list[AgentSession]] = defaultdict(list)
    for session in sessions_of(Facts(None, tuple(legs), ()), RULES):
        sessions[session.agent].append(session)
    said = winners(states)
    return [
        quarter
        for agent in sessions.keys() | said.keys()
        for quarter in agent_quarters(sessions[agent], said.get(agent, ()), RULES)
    ]


@pytest.mark.parametrize("table", ["folded_legs", "made_up_legs"])
def test_quarters_are_equal(world: World, table: str) -> None:
    legs = world.folded if table == "folded_legs" else world.made_up
    expected = quarters(legs, world.states)
    result = world.client.query(
        f"SELECT * FROM {oracle.agent_quarters(table)}",
        parameters=rule_parameters(RULES),
        settings=oracle.settings(MEMORY_BYTES) | oracle.WIDE,
    )
    found: list[dict[str, Any]] = [
        dict(zip(result.column_names, map(plain, row), strict=True)) for row in result.result_rows
    ]
    assert len(found) == len(expected) > 500
    assert_equal(
        {(quarter.agent, quarter.window_start): asdict(quarter) for quarter in expected},
        {(row["agent"], row["window_start"]): row for row in found},
    )
    for name in ("idle_ms", "logged_busy_ms", "sessions"):
        assert sum(row[name] > 0 for row in found) > 100, name
    assert any(row["session_ms"] > row["busy_ms"] for row in found)


def test_states_last_a_day_at_most(world: World) -> None:
    """The random states hold what the rule is about: gaps of a day, and a millisecond to either side."""
    gaps = {
        after.occurred_at - before.occurred_at
        for events in winners(world.states).values()
        for ordered in [sorted(events, key=lambda event: (event.occurred_at, event.event_id))]
        for before, after in pairwise(ordered)
    }
    assert {0, DAY_MS - 1, DAY_MS, DAY_MS + 1} <= gaps
