"""A test alert once a day and its end, by outbox and sender as any other: does what is told arrive?

It is of no rule and of no queue that there is, so that no KPI, episode or picture has it.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import orjson

from alerts.ledger import Ledger
from alerts.receivers import Receivers
from alerts.watching import body
from reports.explain.reading import utc_text

PREFIX = "selftest-"
QUEUE = "ringback-self-test"
SAID = "the daily test of alerts: nothing is wrong, and its end follows within minutes"


def self_test(ledger: Ledger, told: Receivers, now: int) -> None:
    """Asked every minute: today's test once it is time for it, and the end of what was delivered.

    Its id is that of the day: whoever asks again, after a kill or beside another evaluator, adds nothing.
    """
    end_tests(ledger, now)
    if told.self_test is None:
        return
    local = datetime.fromtimestamp(now / 1000, ZoneInfo(told.self_test.zone))
    if f"{local:%H:%M}" < told.self_test.at:
        return
    episode = f"{PREFIX}{local:%Y-%m-%d}"
    own: dict[str, object] = {"status": "firing", "alert": "RingbackSelfTest", "episode": episode}
    own |= {"labels": {"queue": QUEUE, "severity": "ticket"}, "explain": "ringback alerts list"}
    ledger.enqueue(episode, "firing", told.self_test.receiver, body(SAID, now) | own, now)


def end_tests(ledger: Ledger, now: int) -> None:
    """The end of each test goes to whoever got it; once, as its id is that of the test."""
    delivered = ledger.db.execute(
        "SELECT episode, receiver, body FROM outbox AS o WHERE episode LIKE 'selftest-%' AND kind = 'firing' "
        "AND state = 'sent' AND NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.episode = o.episode "
        "AND e.receiver = o.receiver AND e.kind = 'resolved')"
    ).fetchall()
    for episode, receiver, text in delivered:
        over = orjson.loads(text) | {"status": "resolved", "at": utc_text(now)}
        ledger.enqueue(episode, "resolved", receiver, over, now)
