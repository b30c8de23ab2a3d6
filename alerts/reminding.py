"""Reminders: who wants them is told again of what has been firing for hours."""

from collections.abc import Iterable

import orjson

from alerts.grouping import group_of, join, open_group
from alerts.ledger import ENDS, Ledger
from alerts.notify.text import summary
from alerts.receivers import Grouped, Receiver
from alerts.route import Route
from alerts.routing import Way, way_to

AGAIN = "again"
# What was told alone or in a group, and is not over; how often it was told, and when last. Whether one of a
# group was sent is in the row that tells of the group. A storm's are not told of again: they may be hundreds.
FIRING = """WITH told AS (
    SELECT o.episode, o.kind, o.body, o.state = 'grouped' AS grouped,
        ifnull(g.state, o.state) AS state, coalesce(g.done_at, o.done_at, o.created_at) AS at
    FROM outbox AS o LEFT JOIN outbox AS g ON o.state = 'grouped' AND g.id = o.error
    WHERE o.receiver = ? AND o.kind IN ('firing', 'again') AND (g.kind = 'group' OR o.state != 'grouped')
)
SELECT * FROM (
    SELECT f.episode, f.body, f.grouped, count(a.at) + 1, max(f.at, ifnull(max(a.at), 0)) AS last_at,
        ifnull(sum(a.state = 'waiting'), 0) AS waiting
    FROM told AS f LEFT JOIN told AS a ON a.episode = f.episode AND a.kind = 'again'
    WHERE f.kind = 'firing' AND f.state = 'sent'
        AND NOT EXISTS (SELECT 1 FROM transition AS t WHERE t.episode = f.episode AND t.kind IN (?, ?))
        AND EXISTS (SELECT 1 FROM transition AS t WHERE t.episode = f.episode)
    GROUP BY f.episode
) WHERE waiting = 0 AND last_at < ? ORDER BY episode"""


def remind(ledger: Ledger, receivers: Iterable[Receiver], now: int, route: Route | None = None) -> int:
    """Put reminders into the outbox; how many. They wait, are muted and silenced as beginnings are."""
    number = 0
    for receiver in receivers:
        if not isinstance(receiver, Grouped) or (route is None and receiver.repeat_interval is None):
            continue
        with ledger.transaction():
            asked = (receiver.name, *ENDS, now)
            for episode, text, grouped, told, last, _ in ledger.db.execute(FIRING, asked).fetchall():
                body = orjson.loads(text)
                way = way_to(receiver, route, body)
                due = way.repeat_interval is not None and last <= now - way.repeat_interval
                if due and (way.group_by is not None or not grouped):
                    body["annotations"] = {
                        **body["annotations"],
                        "summary": f"still firing: {summary(body)}",
                    }
                    say_again(ledger, way, episode, told, body, now)
                    number += 1
    return number


def say_again(ledger: Ledger, way: Way, episode: str, told: int, body: dict[str, object], now: int) -> None:
    """A reminder into the outbox: in its group, or alone."""
    name = way.receiver.name
    if way.group_by is not None:
        group = open_group(ledger, way, group_of(way, body), now)
        join(ledger, group, episode, AGAIN, name, body, now, told)
        return
    ledger.db.execute(
        "INSERT OR IGNORE INTO outbox (id, episode, kind, receiver, body, created_at, due_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (f"{episode}-{AGAIN}{told}-{name}", episode, AGAIN, name, orjson.dumps(body).decode(), now, now),
    )
