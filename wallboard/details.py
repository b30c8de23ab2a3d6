"""Behind a tile: the agents of a queue, an agent's day, the contacts that make a number."""

from typing import Any

from kpis.catalogue.every_kpi import every_kpi
from reports.explain.explanation import Asked, NoExplanation, document, explain
from reports.kpi.question import CannotAnswer, known_kpi
from schemas.time_units import DAY_MS, HOUR_MS, MINUTE_MS
from sql import wallboard_queries as text
from wallboard.local_day import day_start
from wallboard.reading import Reader

LONGEST_MS = DAY_MS + HOUR_MS  # a day may have 25 hours
LISTED = 200

__all__ = ["CannotAnswer", "NoExplanation", "agent_document", "explain_document", "queue_document"]


def states(reader: Reader, as_of_ms: int) -> dict[str, dict[str, Any]]:
    """What each agent does at the moment."""
    found = {row["agent"]: dict(row) for row in reader.ask(text.agents(), as_of_ms)}
    for row in reader.ask(text.busy(), as_of_ms):
        known = found.setdefault(row["agent"], {"agent": row["agent"], "team": "", "since_ms": None})
        known |= {"state": "on_contact" if row["talks"] else "wrap_up", "queue": row["queue"]}
    return found


def queue_document(reader: Reader, queue: str) -> dict[str, Any]:
    """Who worked for a queue today, and what they do now."""
    as_of_ms = reader.clock()
    since = day_start(as_of_ms, reader.zone_of(queue))
    found = reader.ask(text.queue_agents(), as_of_ms, queue=queue, since_ms=since)
    now = states(reader, as_of_ms)
    nothing: dict[str, Any] = {"state": "", "since_ms": None}
    agents = [row | {name: now.get(row["agent"], nothing).get(name) for name in nothing} for row in found]
    return {"as_of": as_of_ms, "queue": queue, "since": since, "agents": agents}


def agent_document(reader: Reader, agent: str) -> dict[str, Any]:
    """What an agent does now, and the legs of the day."""
    as_of_ms = reader.clock()
    since = day_start(as_of_ms, reader.zone)
    legs = reader.ask(text.agent_legs(), as_of_ms, agent=agent, since_ms=since)
    now = states(reader, as_of_ms).get(agent, {})
    return {
        "as_of": as_of_ms,
        "agent": agent,
        "team": now.get("team", ""),
        "state": now.get("state", ""),
        "since_ms": now.get("since_ms"),
        "legs": legs,
    }


def explain_document(reader: Reader, kpi: str, queue: str | None, from_ms: int, to_ms: int) -> dict[str, Any]:
    """The contacts behind a number. Raises CannotAnswer, NoExplanation or ValueError."""
    found = known_kpi(kpi, every_kpi(reader.rules))
    as_of_ms = reader.clock()
    begin, end = from_ms // MINUTE_MS * MINUTE_MS, -(-to_ms // MINUTE_MS) * MINUTE_MS
    if found.is_state:
        begin = end = as_of_ms
    elif not 0 < end - begin <= LONGEST_MS:
        raise ValueError("the contacts of at most a day can be shown")
    asked = Asked(found, begin, end, as_of_ms, None, queue, reader.zone.key)
    told = document(explain(reader.client, asked, reader.rules))
    contacts = told.pop("contacts")
    for contact in contacts:
        for event in contact["events"]:
            event.pop("customer_key", None)  # whoever walks past need not be able to follow a customer
    return told | {"contacts": contacts[:LISTED], "of": len(contacts)}
