"""Rules that are gone from the file: what fires by them is over, and whoever was told of it is told so."""

from collections.abc import Sequence

import orjson

from alerts.grouping import tell
from alerts.ledger import Ledger, episode_id, labels_text
from alerts.receivers import Receiver
from alerts.route import Route
from alerts.routing import way_to
from alerts.rule import RuleFile
from kpis.dips.machine import Standing
from reports.explain.reading import utc_text
from schemas.time_units import MINUTE_MS

REASON = "rule_removed"
NOTHING = {"counted": 0, "window_ms": 0, "successes": 0, "n": 0, "fresh_off": False, "reason": REASON}


def retire(
    ledger: Ledger, file: RuleFile, receivers: Sequence[Receiver], now: int, route: Route | None = None
) -> int:
    """End the episodes of rules that are not in the file, within a transaction; how many."""
    names = {rule.alert for group in file.groups for rule in group.rules}
    known = {receiver.name: receiver for receiver in receivers}
    gone = [each for each in ledger.firing() if each[0] not in names]
    at = now - now % MINUTE_MS
    for alert, labels in gone:
        began = ledger.standings(alert)[labels_text(labels)].since
        episode = episode_id(alert, labels, began)
        ledger.record(alert, labels, "resolved", at, began, NOTHING, now)
        ledger.stand(alert, labels, Standing(restart=at))
        told = ledger.db.execute(
            "SELECT receiver, body FROM outbox WHERE episode = ? AND kind = 'firing'", (episode,)
        ).fetchall()
        for receiver, text in told:
            if receiver in known:
                body = orjson.loads(text) | {"status": "resolved", "at": utc_text(at), "reason": REASON}
                way = way_to(known[receiver], route, body)
                tell(ledger, way, episode, "resolved", body, now)
    return len(gone)
