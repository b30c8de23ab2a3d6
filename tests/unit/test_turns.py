"""What counts everything anew lets others have their turn, or `/health` would call a worker hung."""

import asyncio

import pytest
from support.builders import make_session, make_visit

from kpis.rules import DEFAULT_RULES
from schemas.codec import encode
from schemas.events import ContactQueued
from streams.kafka.decoding import decode_single_object
from streams.kafka.record import Record
from streams.stages.agents.stage import Agents
from streams.stages.contacts.stage import Contacts
from streams.stages.customers.stage import Customers
from streams.stages.forwards import session_output, visit_output
from streams.stages.stage import Stage
from streams.stages.yielding import AT_ONCE, yielding
from streams.state.memory import in_memory
from streams.state.table import Table

AT = 1_767_600_000_000
TURNS = 3


async def turns_of_others(task: asyncio.Task[object]) -> int:
    """How often another task runs before this one is done."""
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    return turns


async def test_items_come_in_order_and_in_turns() -> None:
    async def collect() -> list[int]:
        return [item async for item in yielding(range(7), at_once=2)]

    task = asyncio.create_task(collect())
    assert await turns_of_others(task) >= TURNS
    assert task.result() == list(range(7))


def kept() -> Table:
    return Table(in_memory(), "changelog")


def contacts() -> tuple[Stage, list[Record]]:
    events = [
        ContactQueued(event_id="q", contact_id=f"c{n}", occurred_at=AT, source="test", queue="A")
        for n in range(TURNS * AT_ONCE)
    ]
    records = [Record(n, event.contact_id.encode(), encode(event)) for n, event in enumerate(events)]
    return Contacts(kept(), kept(), decode_single_object, DEFAULT_RULES, 1), records


def customers() -> tuple[Stage, list[Record]]:
    visits = [make_visit(customer_key=f"x{n}") for n in range(TURNS * AT_ONCE)]
    told = [visit_output(seen.customer_key, "c", seen, version=1, partitions=1)[2] for seen in visits]
    return Customers(kept(), kept(), DEFAULT_RULES), [Record(n, *one) for n, one in enumerate(told)]


def agents() -> tuple[Stage, list[Record]]:
    sessions = [make_session(agent=f"ann{n}") for n in range(TURNS)]
    told = [session_output(seen.agent, "c", 1, seen, version=1, partitions=1)[2] for seen in sessions]
    return Agents(kept(), kept(), DEFAULT_RULES), [Record(n, *one) for n, one in enumerate(told)]


@pytest.mark.parametrize("made", [contacts, customers, agents])
async def test_a_recount_is_right_and_leaves_others_their_turn(made) -> None:
    stage, records = made()
    work = stage.apply(0, records, 1)
    stage.state.put(0, work.states)
    task = asyncio.create_task(stage.recount(0))
    assert await turns_of_others(task) >= TURNS
    assert task.result() == work.totals
