"""What a contact passes on to the other stages: its visit to its customer, its sessions to their agents."""

from collections.abc import Iterator, Mapping
from typing import TypeVar
from zlib import crc32

import orjson

from kpis.agents.sessions import AgentSession, sessions_of
from kpis.facts import Facts
from kpis.fcr.visit import Visit, visit_of
from kpis.frozen import frozen
from kpis.rules import Rules
from schemas.topics import AGENT_ACTIVITY, CUSTOMER_CONTACTS
from streams.kafka.record import KeyValue

Target = TypeVar("Target")
Content = TypeVar("Content")


@frozen
class Forwards:
    """The visit by customer (one or none), the sessions by (agent, leg)."""

    visits: dict[str, Visit]
    sessions: dict[tuple[str, int], AgentSession]


def forwards_of(facts: Facts, rules: Rules) -> Forwards:
    """What a contact is to its customer (a visit), and to its agents (sessions)."""
    visit = visit_of(facts.contact) if facts.contact is not None else None
    return Forwards(
        {} if visit is None else {visit.customer_key: visit},
        {(session.agent, session.leg): session for session in sessions_of(facts, rules)},
    )


def forward_changes(
    before: Mapping[Target, Content], after: Mapping[Target, Content]
) -> dict[Target, Content | None]:
    """What to forward when a contact changes: what is new or different, and None where it is gone."""
    if not before:
        return dict(after)
    return {
        target: after.get(target)
        for target in before.keys() | after.keys()
        if before.get(target) != after.get(target)
    }


def partition_of(owner: str, partitions: int) -> int:
    """Partition of a customer or an agent: every worker and every version of Ringback must say the same."""
    return crc32(owner.encode()) % partitions


def visit_output(
    customer: str, contact_id: str, visit: Visit | None, version: int, partitions: int
) -> tuple[str, int, KeyValue]:
    """Record that tells of a customer's contact, or that it is none of theirs (any more)."""
    key, value = orjson.dumps([customer, contact_id]), orjson.dumps({"version": version, "visit": visit})
    return CUSTOMER_CONTACTS, partition_of(customer, partitions), (key, value)


def session_output(
    agent: str, contact_id: str, leg: int, session: AgentSession | None, version: int, partitions: int
) -> tuple[str, int, KeyValue]:
    """Record that tells of an agent's work on a leg, or that it was none of theirs."""
    key = orjson.dumps([agent, "session", contact_id, leg])
    value = orjson.dumps({"version": version, "session": session})
    return AGENT_ACTIVITY, partition_of(agent, partitions), (key, value)


def update_records(
    contact_id: str,
    visits: Mapping[str, Visit | None],
    sessions: Mapping[tuple[str, int], AgentSession | None],
    version: int,
    partitions: int,
) -> Iterator[tuple[str, int, KeyValue]]:
    """Records of what a contact tells its customers and agents."""
    for customer, visit in visits.items():
        yield visit_output(customer, contact_id, visit, version, partitions)
    for (agent, leg), session in sessions.items():
        yield session_output(agent, contact_id, leg, session, version, partitions)


def state_output(agent: str, event_id: str, canonical: bytes, partitions: int) -> tuple[str, int, KeyValue]:
    """Record that passes an agent's state event on; its strength is in its canonical bytes."""
    key = orjson.dumps([agent, "state", event_id])
    return AGENT_ACTIVITY, partition_of(agent, partitions), (key, canonical)
