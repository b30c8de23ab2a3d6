"""What rebuilds there were: table `rebuilds`, and the tables that each has left."""

# ruff: noqa: S608 -- names are ours; values from outside are query parameters

import re
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import orjson
from clickhouse_connect.driver.client import Client

BEGUN, MADE, SWAPPING, SWAPPED, UNDOING, UNDONE = "begun", "made", "swapping", "swapped", "undoing", "undone"
COLUMNS = ("id", "state", "versions", "asked", "summary", "step")
KEPT = 3  # of those that were put in place, so many can be undone
# Tables of a rebuild that was cut short, after so long: it may still be at work.
ABANDONED_H = 24
ID = re.compile(r"[0-9a-f]{12}")


class NoSuchRebuild(ValueError):
    """There is none of this id, or it is in no state for this."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """One rebuild: its id, how far it is, the versions of its rows, what was asked and what it changed."""

    id: str
    state: str
    versions: dict[str, list[int]]
    asked: dict[str, Any]
    summary: dict[str, Any]
    step: int = 0

    def table(self, of: str, kind: str = "") -> str:
        """Its table for a table of the stream's: rows made (""), as they stood ("before") and so on."""
        return "_".join(("rebuild", self.id, of, *([kind] if kind else [])))


def new(asked: dict[str, Any], versions: dict[str, list[int]]) -> Rebuild:
    """A rebuild that begins."""
    return Rebuild(uuid4().hex[:12], BEGUN, versions, asked, {})


def write(client: Client, rebuild: Rebuild, state: str) -> Rebuild:
    """Keep that it is so far."""
    found = replace(rebuild, state=state, step=rebuild.step + 1)
    document = (orjson.dumps(part).decode() for part in (found.versions, found.asked, found.summary))
    client.insert("rebuilds", [[found.id, found.state, *document, found.step]], column_names=COLUMNS)
    return found


def listed(client: Client) -> list[tuple[Rebuild, Any]]:
    """All of them with the time of their last step, the latest first."""
    rows = client.query(f"SELECT {', '.join(COLUMNS)}, at FROM rebuilds FINAL ORDER BY at DESC").result_rows
    found = []
    for name, state, versions, asked, summary, step, at in rows:
        known, wanted, changed = (orjson.loads(text) for text in (versions, asked, summary))
        found.append((Rebuild(name, state, known, wanted, changed, step), at))
    return found


def find(client: Client, name: str, states: tuple[str, ...]) -> Rebuild:
    """The rebuild of an id. Raises NoSuchRebuild unless it is in one of these states."""
    known = {rebuild.id: rebuild for rebuild, _ in listed(client)}
    if name not in known:
        raise NoSuchRebuild(f"there is no rebuild {name!r}; `ringback rebuild --list` shows them")
    if known[name].state not in states:
        raise NoSuchRebuild(f"rebuild {name} is {known[name].state}: only one in place can be undone")
    return known[name]


def own_tables(client: Client, name: str) -> list[str]:
    """Tables of a rebuild."""
    pattern = f"rebuild_{name}_%".replace("_", r"\_")
    query = "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE {like:String}"
    return [row[0] for row in client.query(query, parameters={"like": pattern}).result_rows]


def drop(client: Client, name: str) -> None:
    """Drop the tables of a rebuild."""
    for table in own_tables(client, name):
        client.command(f"DROP TABLE IF EXISTS {table}")


def tidy(client: Client) -> None:
    """Drop the tables of rebuilds that were cut short long ago, and of old ones beyond the last few."""
    rebuilds = [rebuild for rebuild, _ in listed(client)]
    in_place = [rebuild.id for rebuild in rebuilds if rebuild.state == SWAPPED]
    kept = {*in_place[:KEPT], *(r.id for r in rebuilds if r.state in (SWAPPING, UNDOING))}
    query = (
        "SELECT splitByChar('_', name)[2] AS id FROM system.tables WHERE database = currentDatabase() "
        r"AND name LIKE 'rebuild\_%' GROUP BY id HAVING id IN {known:Array(String)} "
        f"OR max(metadata_modification_time) < now() - INTERVAL {ABANDONED_H:d} HOUR"
    )
    over = [rebuild.id for rebuild in rebuilds if rebuild.state == UNDONE] + in_place[KEPT:]
    for (name,) in client.query(query, parameters={"known": over}).result_rows:
        if ID.fullmatch(name) and name not in kept:
            drop(client, name)
