"""What readers must see of every stage, from the set of events alone, and what they do see of a topic's rows.

Both are `Tables`: table -> key -> the other columns, without version, without rows that are deleted or
nothing but zeros, and summed over partitions.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import orjson
from support.durations import durations_of

from kpis.agents.quarters import agent_quarters
from kpis.agents.sessions import sessions_of
from kpis.fcr.customer_contacts import judge
from kpis.fcr.visit import visit_of
from kpis.fold.events import fold
from kpis.rules import Rules
from kpis.tallies.fcr import by_days, fcr_contribution
from kpis.tallies.windows import MEASURES, contribution
from schemas.codec import encode
from schemas.events import AgentStateChanged, ContactEvent
from sinks.rows import COLUMNS

KEYS = {
    "contacts": ("contact_id",),
    "legs": ("contact_id", "leg"),
    "surveys": ("contact_id", "kind", "respondent"),
    "offers": ("contact_id", "event_id"),
    "leg_durations": ("kind", "booked_at", "contact_id", "leg"),
    "fcr": ("customer_key", "contact_id"),
    "agent_quarters": ("agent", "window_start"),
    "kpi_windows": ("window_start", "channel", "queue", "partition"),
    "fcr_windows": ("window_start", "channel", "queue", "days", "partition"),
}
WINDOWS = ("kpi_windows", "fcr_windows")
Key = tuple[Any, ...]
Tables = dict[str, dict[Key, tuple[Any, ...]]]


def content(table: str) -> list[str]:
    """Columns that are neither key nor version."""
    return [name for name in COLUMNS[table] if name not in (*KEYS[table], "version", "is_deleted")]


def put_fact(tables: Tables, table: str, fact: Any) -> None:
    row = orjson.loads(orjson.dumps(fact))
    key = tuple(row[name] for name in KEYS[table])
    assert key not in tables[table]
    tables[table][key] = tuple(row[name] for name in content(table))


def put_window(tables: Tables, table: str, key: Key, values: Iterable[int]) -> None:
    known = tables[table].get(key, (0,) * len(content(table)))
    tables[table][key] = tuple(a + b for a, b in zip(known, values, strict=True))


def without_zeros(tables: Tables) -> Tables:
    for table in WINDOWS:
        tables[table] = {key: row for key, row in tables[table].items() if any(row)}
    return {table: tables[table] for table in KEYS}


def strongest(events: Iterable[AgentStateChanged]) -> dict[str, list[AgentStateChanged]]:
    """State events by agent, of each event_id the one that counts."""
    best: dict[tuple[str, str], tuple[int, bytes, AgentStateChanged]] = {}
    for event in events:
        key, rival = (event.agent, event.event_id), (event.revision, encode(event), event)
        if key not in best or best[key][:2] < rival[:2]:
            best[key] = rival
    by_agent = defaultdict(list)
    for (agent, _), (_, _, event) in best.items():
        by_agent[agent].append(event)
    return by_agent


def truth(contacts: Iterable[ContactEvent], states: Iterable[AgentStateChanged], rules: Rules) -> Tables:
    """By the plain functions of kpis/, in no particular order."""
    tables: Tables = defaultdict(dict)
    by_contact, visits, sessions = defaultdict(list), defaultdict(list), defaultdict(list)
    for event in contacts:
        by_contact[event.contact_id].append(event)
    for events in by_contact.values():
        facts = fold(events, rules)
        for table, found in (
            ("legs", facts.legs),
            ("surveys", facts.surveys),
            ("offers", facts.offers),
            ("leg_durations", durations_of(facts.legs)),
        ):
            for fact in found:
                put_fact(tables, table, fact)
        if facts.contact is not None:
            put_fact(tables, "contacts", facts.contact)
            visit = visit_of(facts.contact)
            if visit is not None:
                visits[visit.customer_key].append(visit)
        for session in sessions_of(facts, rules):
            sessions[session.agent].append(session)
        for window, tally in contribution(facts, rules).items():
            put_window(tables, "kpi_windows", tuple(window), tally)
    put_fcr(tables, visits.values(), rules)
    by_agent = strongest(states)
    for agent in sessions.keys() | by_agent.keys():
        for quarter in agent_quarters(sessions.get(agent, []), by_agent.get(agent, []), rules):
            put_fact(tables, "agent_quarters", quarter)
    return without_zeros(tables)


def put_fcr(tables: Tables, customers: Iterable[list[Any]], rules: Rules) -> None:
    for visits in customers:
        for fact in judge(visits, rules.fcr):
            put_fact(tables, "fcr", fact)
            for window, tally in fcr_contribution(fact, rules.fcr).items():
                for days, values in by_days(tally, rules.fcr):
                    put_window(tables, "fcr_windows", (*window, days), values)


def seen(rows: dict[str, list[list[Any]]]) -> Tables:
    """What ClickHouse would show of rows, in the order they were written: of a key the greatest version."""
    tables: Tables = defaultdict(dict)
    for table in KEYS:
        best: dict[Key, dict[str, Any]] = {}
        for row in rows.get(table, []):
            named = dict(zip(COLUMNS[table], row, strict=True))
            key = tuple(named[name] for name in KEYS[table])
            if key not in best or best[key]["version"] <= named["version"]:
                best[key] = named
        for key, named in best.items():
            if table in WINDOWS:
                put_window(tables, table, key[:-1], [named[name] for name in content(table)])
            elif not named["is_deleted"]:
                tables[table][key] = tuple(named[name] for name in content(table))
    return without_zeros(tables)


def differences(found: Tables, expected: Tables) -> dict[str, list[Any]]:
    """What differs, by table; few enough to be read."""
    report: dict[str, list[Any]] = {}
    for table in KEYS:
        left, right = found[table], expected[table]
        keys = [key for key in left.keys() | right.keys() if left.get(key) != right.get(key)]
        if keys:
            report[table] = [(key, left.get(key), right.get(key)) for key in keys[:3]]
    return report


assert len(MEASURES) == len(content("kpi_windows"))
