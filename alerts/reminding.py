"""Reminders: who wants them is told again of what has been firing for hours."""

from collections.abc import Iterable

import orjson

from alerts.ledger import ENDS, Ledger
from alerts.notify.text import summary
from alerts.receivers import Grouped, Receiver

AGAIN = "again"
# What was told alone, is not over, and was last told of before a time; how often it was told.
DUE = """SELECT episode, body, told FROM (
    SELECT o.episode, o.body, count(a.id) + 1 AS told,
        max(o.done_at, ifnull(max(ifnull(a.done_at, a.created_at)), 0)) AS last_at,
        ifnull(sum(a.state = 'waiting'), 0) AS waiting
    FROM outbox AS o
    LEFT JOIN outbox AS a ON a.episode = o.episode AND a.receiver = o.receiver AND a.kind = 'again'
    WHERE o.receiver = ? AND o.kind = 'firing' AND o.state = 'sent' AND NOT EXISTS (
        SELECT 1 FROM transition AS t WHERE t.episode = o.episode AND t.kind IN (?, ?))
        AND EXISTS (SELECT 1 FROM transition AS t WHERE t.episode = o.episode)
    GROUP BY o.id
) WHERE last_at <= ? AND waiting = 0 ORDER BY episode"""


def remind(ledger: Ledger, receivers: Iterable[Receiver], now: int) -> int:
    """Put reminders into the outbox; how many. They wait, are muted and silenced as beginnings are."""
    number = 0
    for receiver in receivers:
        if not isinstance(receiver, Grouped) or receiver.repeat_interval is None:
            continue
        asked = (receiver.name, *ENDS, now - receiver.repeat_interval)
        for episode, text, told in ledger.db.execute(DUE, asked).fetchall():
            body = orjson.loads(text)
            body["annotations"] = {**body["annotations"], "summary": f"still firing: {summary(body)}"}
            row = f"{episode}-{AGAIN}{told}-{receiver.name}", episode, AGAIN, receiver.name
            ledger.db.execute(
                "INSERT OR IGNORE INTO outbox (id, episode, kind, receiver, body, created_at, due_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*row, orjson.dumps(body).decode(), now, now),
            )
            number += 1
    return number
