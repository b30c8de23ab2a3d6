"""Many alerts at once: one message for a group of them, and one for a storm.

Notifications that go together are in the outbox as `grouped`, with the id of the row that will tell of them.
What that one says is written when it is first tried.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from alerts.ledger import ENDS, Ledger, Outgoing
from alerts.message import ABOUT_SEVERAL, MEMBERS_MAX, member
from alerts.receivers import Grouped, Receiver
from schemas.time_units import MINUTE_MS

# More new ones than a receiver wants within so long are a storm, told of in one message.
STORM_MS, STORM_WAIT_MS = 5 * MINUTE_MS, MINUTE_MS // 2
STORM = "storm-"
LISTED = 20


def tell(
    ledger: Ledger, receiver: Receiver, episode: str, kind: str, body: dict[str, object], now: int
) -> None:
    """Into the outbox, within the transaction of the evaluation: alone, in its group, or in a storm."""
    if kind in ENDS and (member := in_group(ledger, episode, receiver.name)) is not None:
        id_, first = member
        if first.startswith(STORM):
            end_in_storm(ledger, receiver.name, id_, first, body, now)
            return
        if drop_untold(ledger, id_, first):
            return
    elif kind in ENDS or kind != "firing":
        ledger.enqueue(episode, kind, receiver.name, body, now)
        return
    elif storm := storm_of(ledger, receiver, now):
        join(ledger, storm, episode, kind, receiver.name, body, now)
        return
    if isinstance(receiver, Grouped) and receiver.group_by is not None:
        group = open_group(ledger, receiver, body, now)
        join(ledger, group, episode, kind, receiver.name, body, now)
    else:
        ledger.enqueue(episode, kind, receiver.name, body, now)


def join(
    ledger: Ledger, group: str, episode: str, kind: str, receiver: str, body: dict[str, object], now: int
) -> None:
    """One more of a group, once."""
    row = (
        f"{episode}-{kind}-{receiver}",
        episode,
        kind,
        receiver,
        orjson.dumps(body).decode(),
        now,
        now,
        group,
    )
    ledger.db.execute(
        "INSERT OR IGNORE INTO outbox (id, episode, kind, receiver, body, created_at, due_at, state, error) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 'grouped', ?)",
        row,
    )


def in_group(ledger: Ledger, episode: str, receiver: str) -> tuple[str, str] | None:
    """The row of an episode's beginning and that of its group, where it was told in one."""
    found = ledger.db.execute(
        "SELECT id, error FROM outbox WHERE id = ? AND state = 'grouped'", (f"{episode}-firing-{receiver}",)
    ).fetchone()
    return None if found is None else (str(found[0]), str(found[1]))


def drop_untold(ledger: Ledger, id_: str, group: str) -> bool:
    """An episode that is over before its group was tried is not told of."""
    done = ledger.db.execute(
        "UPDATE outbox SET state = 'dropped', error = 'over before it was tried' WHERE id = ? AND EXISTS ("
        "SELECT 1 FROM outbox AS g WHERE g.id = ? AND g.state = 'waiting' AND g.tries = 0)",
        (id_, group),
    )
    return done.rowcount > 0


def storm_of(ledger: Ledger, receiver: Receiver, now: int) -> str:
    """The row that tells of the storm there is, made if it is new; "" where there is none."""
    begin = now - STORM_MS
    known = ledger.db.execute(
        "SELECT id FROM outbox WHERE receiver = ? AND kind = 'firing' AND episode LIKE 'storm-%' "
        "AND created_at > ? AND state != 'dropped'",
        (receiver.name, begin),
    ).fetchone()
    if known is not None:
        return str(known[0])
    (number,) = ledger.db.execute(
        "SELECT count(*) FROM outbox WHERE receiver = ? AND kind = 'firing' AND created_at > ?",
        (receiver.name, begin),
    ).fetchone()
    if number < receiver.storm:
        return ""
    return open_row(ledger, f"{STORM}{now}", "firing", receiver.name, now, now + STORM_WAIT_MS)


def open_row(
    ledger: Ledger, episode: str, kind: str, receiver: str, now: int, due: int, tail: str = ""
) -> str:
    """A row that will tell of others; what it says is not known yet."""
    id_ = f"{episode}-{kind}-{receiver}{tail}"
    ledger.db.execute(
        "INSERT OR IGNORE INTO outbox (id, episode, kind, receiver, body, created_at, due_at) "
        "VALUES (?, ?, ?, ?, '{}', ?, ?)",
        (id_, episode, kind, receiver, now, due),
    )
    return id_


def open_group(ledger: Ledger, receiver: Grouped, body: Mapping[str, Any], now: int) -> str:
    """The row of the group that an alert belongs to: one that has not been tried, else a new one."""
    own = {**body["labels"], "alert": body["alert"]}
    key = [own.get(name, "") for name in receiver.group_by or ()]
    episode = "group-" + hashlib.sha256(orjson.dumps(key)).hexdigest()[:12]
    known = ledger.db.execute(
        "SELECT id FROM outbox WHERE receiver = ? AND kind = 'group' AND episode = ? "
        "AND state = 'waiting' AND tries = 0",
        (receiver.name, episode),
    ).fetchone()
    if known is not None:
        return str(known[0])
    (last,) = ledger.db.execute(
        "SELECT max(due_at) FROM outbox WHERE receiver = ? AND kind = 'group' AND episode = ?",
        (receiver.name, episode),
    ).fetchone()
    soonest = 0 if last is None else last + receiver.group_interval
    due = max(now + receiver.group_wait, soonest)
    return open_row(ledger, episode, "group", receiver.name, now, due, f"-{now}")


def end_in_storm(
    ledger: Ledger, receiver: str, id_: str, storm: str, body: dict[str, object], now: int
) -> None:
    """One of a storm is over; when the last one is, that is told."""
    ledger.db.execute("UPDATE outbox SET state = 'over' WHERE id = ?", (id_,))
    left = ledger.db.execute(
        "SELECT 1 FROM outbox WHERE state = 'grouped' AND error = ? LIMIT 1", (storm,)
    ).fetchone()
    if left is None:
        (episode,) = ledger.db.execute("SELECT episode FROM outbox WHERE id = ?", (storm,)).fetchone()
        ended = several([body], "StormOfAlerts", "a storm of alerts is over", episode) | {
            "status": "resolved"
        }
        ledger.enqueue(episode, "resolved", receiver, ended, now)


def is_unwritten(outgoing: Outgoing) -> bool:
    """Does it tell of others, and is it not known yet what?"""
    return not outgoing.body and (outgoing.kind == "group" or outgoing.episode.startswith(STORM))


def written(
    ledger: Ledger, outgoing: Outgoing, held: Callable[[dict[str, Any]], bool], now: int
) -> dict[str, Any]:
    """What a row says that tells of others, kept from now on; {} where nothing of it is left to tell.

    Those that are held back, as by a silence, are told alone when they no longer are.
    """
    found = ledger.db.execute(
        "SELECT id, body FROM outbox WHERE error = ? AND state IN ('grouped', 'over') "
        "ORDER BY created_at, id",
        (outgoing.id,),
    ).fetchall()
    bodies = []
    for id_, text in found:
        member = orjson.loads(text)
        if held(member):
            ledger.db.execute(
                "UPDATE outbox SET state = 'waiting', error = '', created_at = ?, due_at = ? "
                "WHERE id = ? AND state = 'grouped'",
                (now, now, id_),
            )
        else:
            bodies.append(member)
    if not bodies:
        return {}
    if outgoing.kind == "firing":
        summary = f"{len(bodies)} more alerts at once: {listed(bodies)}; `ringback alerts list` has all"
        body = several(bodies, "StormOfAlerts", summary, outgoing.episode)
    elif len(bodies) == 1:
        body = bodies[0]
    else:
        summary = f"{len(bodies)} alerts: {listed(bodies)}"
        body = several(bodies, "", summary, outgoing.episode)
    ledger.db.execute("UPDATE outbox SET body = ? WHERE id = ?", (orjson.dumps(body).decode(), outgoing.id))
    return body


def unwritten(ledger: Ledger, id_: str) -> None:
    """It was not tried after all: until it is, others may join it."""
    ledger.db.execute(
        "UPDATE outbox SET body = '{}' WHERE id = ? AND (kind = 'group' OR episode LIKE 'storm-%')", (id_,)
    )


def several(bodies: Sequence[dict[str, Any]], alert: str, summary: str, episode: str) -> dict[str, Any]:
    """One message about several alerts, called `alert` or as all of them: what they have in common."""
    first = bodies[0]
    common = dict(first["labels"].items())
    for body in bodies[1:]:
        common = {name: value for name, value in common.items() if body["labels"].get(name) == value}
    names = sorted({body["alert"] for body in bodies})
    fires = any(body["status"] == "firing" for body in bodies)
    members = [member(body) for body in bodies[:MEMBERS_MAX]] if len(bodies) > 1 else []
    return (
        first
        | ABOUT_SEVERAL
        | {
            "episode": episode,
            "status": "firing" if fires else first["status"],
            "alert": alert or (names[0] if len(names) == 1 else "SeveralAlerts"),
            "labels": common,
            "annotations": {"summary": summary},
            "opened_at": min(body["opened_at"] for body in bodies),
            "alerts": members,
            "explain": "ringback alerts list",
        }
    )


def listed(bodies: Sequence[dict[str, Any]]) -> str:
    """A few words about each."""
    lines = [
        " ".join([
            body["alert"], *(body["labels"][name] for name in ("channel", "queue") if name in body["labels"]),
            body["value"] if body["status"] == "firing" else body["status"],
        ])
        for body in bodies[:LISTED]
    ]  # fmt: skip
    more = f", and {len(bodies) - LISTED} more" if len(bodies) > LISTED else ""
    return "; ".join(lines) + more
