"""Customers and agents on the real stack: fcr, fcr_windows and agent_quarters are what kpis/ says, after a
worker was killed in each of its stages, and again after the rules were changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.numbers import json_lines, lag, stored
from support.stack import Running, Stack, background, wait_until
from support.stage_truth import KEYS, Tables, differences, seen, truth
from test_crashes import IMPORT_LIMIT_S, grown

from kpis.rules import DEFAULT_RULES, FcrRules, Rules
from schemas.codec import encode
from schemas.events import AgentStateChanged, Event, SourceHeartbeat
from schemas.topics import CUSTOMERS_CHANGELOG, FCR_WINDOWS, QUARTERS_CHANGELOG, WORKER_GROUP
from simulator.deliveries import deliver
from simulator.simulation import Simulation
from sinks.rows import COLUMNS
from streams.health.group_lag import OffsetReader

CONTACTS = 3_000
OTHER_RULES = Rules(
    short_abandon_ms=20_000,
    agent_state_max_ms=3_600_000,
    fcr=FcrRules(windows_days=(2, 7), match_reason=False),
)
OTHER_SETTINGS = """
[rules]
short_abandon_s = 20
agent_state_max_h = 1
[rules.fcr]
windows_days = [2, 7]
match_reason = false
"""


def rows_of(stack: Stack) -> Tables:
    """What ClickHouse shows of every table that the stream writes; times are milliseconds."""

    def column(name: str) -> str:
        timely = name.endswith("_at") or name == "window_start"
        return f"toUnixTimestamp64Milli({name})" if timely else name

    return seen(
        {
            table: [
                list(row)
                for row in stack.rows(f"SELECT {', '.join(map(column, COLUMNS[table]))} FROM {table} FINAL")
            ]
            for table in KEYS
        }
    )


def expected(events: list[Event], rules: Rules) -> Tables:
    """The truth of these events."""
    states = [event for event in events if isinstance(event, AgentStateChanged)]
    contacts = [event for event in events if not isinstance(event, AgentStateChanged | SourceHeartbeat)]
    return truth(contacts, states, rules)


@pytest.fixture
def events(tmp_path: Path) -> list[Event]:
    """A simulated contact centre with its agents, late, doubled and out of order; also in a file."""
    simulation = Simulation(5, contacts=CONTACTS)
    made = [delivery.event for delivery in deliver(simulation.everything(), seed=5)]
    (tmp_path / "events.jsonl").write_bytes(json_lines(made))
    return made


@pytest.fixture
def importing(fresh_stack: Stack, events: list[Event], tmp_path: Path) -> Iterator[Running]:
    """An import of the events, in the background."""
    running = Running(fresh_stack.env(), "import", "events", str(tmp_path / "events.jsonl"), "--no-wait")
    yield running
    running.process.kill()


async def test_customers_and_agents_whatever_is_killed_and_however_the_rules_change(
    fresh_stack: Stack, events: list[Event], importing: Running
) -> None:
    stack = fresh_stack
    with background(stack.env(), "sink") as sink:
        for topic in (CUSTOMERS_CHANGELOG, FCR_WINDOWS, QUARTERS_CHANGELOG):
            with background(stack.env(), "worker") as worker:
                async with OffsetReader(stack.bootstrap_servers) as watch:
                    await grown(watch, topic, 1)
                worker.process.kill()
        assert await lag(stack, WORKER_GROUP) > 0
        with background(stack.env(), "worker") as last:
            wait_until(lambda: not importing.process.alive(), "the import is not done", IMPORT_LIMIT_S)
            assert importing.process.returncode == 0, importing.log()
            await stored(stack)
            found, right = rows_of(stack), expected(events, DEFAULT_RULES)
            assert differences(found, right) == {}
            sizes = {table: len(rows) for table, rows in right.items()}
            assert all(size > 100 for table, size in sizes.items() if table != "offers"), sizes
            assert "Traceback" not in last.log() + sink.log()
        raw = {encode(event) for event in events if isinstance(event, AgentStateChanged)}
        assert stack.value("SELECT uniqExact(agent, event_id, canonical) FROM agent_events") == len(raw)
        beats = [event.occurred_at for event in events if isinstance(event, SourceHeartbeat)]
        [(_, last_beat)] = stack.rows(
            "SELECT source, toUnixTimestamp64Milli(occurred_at) FROM heartbeats FINAL"
        )
        assert last_beat == max(beats)
        await check_other_rules(stack, events)


async def check_other_rules(stack: Stack, events: list[Event]) -> None:
    """Settings are changed and the worker started again: everything is counted anew, nothing old is left."""
    (stack.data_dir / "ringback.toml").write_text(OTHER_SETTINGS)
    with background(stack.env(), "worker") as worker:
        await stored(stack)
        assert differences(rows_of(stack), expected(events, OTHER_RULES)) == {}
        assert worker.log().count("counted anew") == 3 * 4
        assert "Traceback" not in worker.log()
