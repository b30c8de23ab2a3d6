"""Many alerts at once: one message for a group of them, and one for a storm.

Notifications that go together are in the outbox as `grouped`, with the id of the row that will tell of them.
What that one says is written when it is first tried.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from alerts.ledger import ENDS, Ledger, Outgoing
from alerts.matchers import with_name
from alerts.message import ABOUT_SEVERAL, MEMBERS_MAX, member
from alerts.receivers import Receiver
from alerts.routing import Way
from schemas.time_units import MINUTE_MS

# More new ones than a receiver wants within so long are a storm, told of in one message.
STORM_MS, STORM_WAIT_MS = 5 * MINUTE_MS, MINUTE_MS // 2
STORM = "storm-"
LISTED = 20


def tell(ledger: Ledger, way: Way, episode: str, kind: str, body: dict[str, object], now: int) -> None:
    """Into the outbox, within the transaction of the evaluation: alone, in its group, or in a storm.

    An end goes the way its beginning went, whatever the file of receivers says by now.
    """
    receiver = way.receiver
    if kind in ENDS and (member := in_group(ledger, episode, receiver.name)) is not None:
        end_in_group(ledger, way, member, episode, kind, body, now)
    elif kind != "firing":
        ledger.enqueue(episode, kind, receiver.name, body, now)
    elif storm := storm_of(ledger, receiver, now):
        join(ledger, storm, episode, kind, receiver.name, body, now)
    elif way.group_by is not None:
        group = open_group(ledger, way, group_of(way, body), now)
        join(ledger, group, episode, kind, receiver.name, body, now)
    else:
        ledger.enqueue(episode, kind, receiver.name, body, now)


def end_in_group(
    ledger: Ledger,
    way: Way,
    member: tuple[str, str],
    episode: str,
    kind: str,
    body: dict[str, object],
    now: int,
) -> None:
    """One of a group or of a storm is over: told in that group, after the message that told of it."""
    id_, first = member
    if first.startswith(STORM):
        end_in_storm(ledger, way.receiver.name, id_, first, body, now)
    elif not drop_untold(ledger, id_, first):
        ledger.drop_reminders(id_)
        group, state = ledger.db.execute(
            "SELECT episode, state FROM outbox WHERE id = ?", (first,)
        ).fetchone()
        if state != "dead":
            join(ledger, open_group(ledger, way, group, now), episode, kind, way.receiver.name, body, now)


def join(
    ledger: Ledger,
    group: str,
    episode: str,
    kind: str,
    receiver: str,
    body: dict[str, object],
    now: int,
    number: int | None = None,
) -> None:
    """One more of a group, once; `number` is that of a reminder."""
    row = (
        f"{episode}-{kind}{'' if number is None else number}-{receiver}",
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


def group_of(way: Way, body: Mapping[str, Any]) -> str:
    """The group that an alert belongs to: its route and its values of the labels."""
    own = with_name(body)
    key = [own.get(name, "") for name in way.group_by or ()]
    if way.route:  # two routes to a receiver are two groups, and so are the labels that each goes by
        key += [way.route, *(way.group_by or ())]
    return "group-" + hashlib.sha256(orjson.dumps(key)).hexdigest()[:12]


def open_group(ledger: Ledger, way: Way, episode: str, now: int) -> str:
    """The row that will tell of a group: one that has not been tried, else a new one."""
    receiver = way.receiver
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
    soonest = 0 if last is None else last + way.group_interval
    due = max(now + way.group_wait, soonest)
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
    return not outgoing.body and tells_of_others(outgoing)


def tells_of_others(outgoing: Outgoing) -> bool:
    """Is it the message of a group or of a storm?"""
    return outgoing.kind == "group" or (outgoing.kind == "firing" and outgoing.episode.startswith(STORM))


def stand_in(ledger: Ledger, outgoing: Outgoing, receiver: str, now: int) -> None:
    """Another receiver is told of a group or storm too, and of the ends: but for what it knows itself."""
    episode = outgoing.episode if outgoing.kind == "firing" else outgoing.id
    with ledger.transaction():
        id_ = open_row(ledger, episode, outgoing.kind, receiver, now, now)
        ledger.db.execute(
            "INSERT OR IGNORE INTO outbox "
            "(id, episode, kind, receiver, body, created_at, due_at, state, error) "
            "SELECT substr(id, 1, length(id) - length(receiver)) || ?, episode, kind, ?, body, ?, ?, "
            "state, ? FROM outbox WHERE error = ? AND state IN ('grouped', 'over')",
            (receiver, receiver, now, now, id_, outgoing.id),
        )


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
