"""Are the data fresh, and what are the agents doing?"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.time_units import MINUTE_MS

Row = Mapping[str, Any]
# Events and what is counted of them are stored by two ways, and what is withdrawn is counted nowhere.
BEHIND_AFTER_MS = 2 * MINUTE_MS


def agents_document(states: Iterable[Row], busy: Iterable[Row]) -> dict[str, Any]:
    """Agents by state: who has a contact in hand is on a contact, whatever the log-on system says."""
    working = {row["agent"]: row for row in busy}
    counts: Counter[str] = Counter()
    queues: dict[str, Counter[str]] = {}
    for row in working.values():
        state = "on_contact" if row["talks"] else "wrap_up"
        counts[state] += 1
        queues.setdefault(row["queue"], Counter())[state] += 1
    for row in states:
        if row["agent"] not in working:
            counts[row["state"]] += 1
    return {"states": dict(counts), "queues": {queue: dict(found) for queue, found in queues.items()}}


def freshness_document(
    found: Iterable[Row], as_of_ms: int, silent_after_s: float, behind_after_ms: int = BEHIND_AFTER_MS
) -> dict[str, Any]:
    """How long each source is silent, and how far counting is behind what has been told."""
    sources, counted, told = [], 0, 0
    for row in found:
        if row["part"] == "counted":
            counted = row["event_ms"]
        elif row["part"] == "told":
            told = min(row["event_ms"], as_of_ms)  # a clock that is ahead makes nobody late
        else:
            heard = max(row["beat_ms"], row["event_ms"])
            silent_ms = max(as_of_ms - heard, 0)
            sources.append(
                {"name": row["name"], "silent_ms": silent_ms, "silent": silent_ms > silent_after_s * 1000}
            )
    behind = max(told - counted, 0) if told and counted else 0
    return {
        "sources": sorted(sources, key=lambda source: source["name"]),
        "behind_ms": behind if behind > behind_after_ms else 0,
    }
