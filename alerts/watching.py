"""Alerting that watches itself: what is wrong is told to another receiver, that all is well to a heartbeat.

The heartbeat (a dead man's switch) is sent only while rules are evaluated and notifications leave: an outside
service that does not hear it says so, whatever has happened to this machine.
"""

from collections.abc import Callable, Collection

import structlog

from alerts.failing import TRIES, failing
from alerts.ledger import Ledger, Outgoing
from alerts.notify.forms import request_of
from alerts.notify.post import Delivery, Request, post
from alerts.receivers import Receivers, unread
from alerts.rule import RuleFile
from alerts.silences import Silences
from reports.explain.reading import utc_text
from schemas.time_units import HOUR_MS, MINUTE_MS

log = structlog.get_logger()
LAG_MAX_MS, UNSENT_MAX_MS = 5 * MINUTE_MS, 2 * MINUTE_MS
QUERY = "query-"  # and the name of a rule
ENDS_SOON_MS = 15 * MINUTE_MS  # so long before its end a silence is told of
GIVEN_UP_FOR_MS = HOUR_MS  # then the heartbeat goes on: one letter that was refused is not silence for ever


def faults(
    ledger: Ledger, file: RuleFile, settle: Callable[[str], int], now: int, began: int
) -> dict[str, str]:
    """What is wrong, by a short name. `began`: since when groups could have been evaluated."""
    found = {}
    for group in file.groups:
        position = ledger.position(group.name)
        behind = now - settle(group.name) - (began if position is None else position)
        if behind > LAG_MAX_MS + group.interval:
            said = "was never evaluated, for" if position is None else "was last evaluated"
            ago = "minutes" if position is None else "minutes ago"
            found[f"lag-{group.name}"] = f"group {group.name} {said} {behind // MINUTE_MS} {ago}"
    oldest, (dead, last) = ledger.oldest_tried(), ledger.given_up()
    if oldest is not None and now - oldest > UNSENT_MAX_MS:
        found["unsent"] = f"a notification has been waiting for {(now - oldest) // MINUTE_MS} minutes"
    if dead and now - last < GIVEN_UP_FOR_MS:
        found[f"dead-{dead}"] = f"{dead} notifications were given up: `ringback alerts list --problems`"
    for alert, why in failing(ledger, file.queries).items():
        found[f"{QUERY}{alert}"] = f"the query of {alert} failed {TRIES} times in a row: {why}"
    return found


def is_well(found: Collection[str]) -> bool:
    """Are rules evaluated, and do notifications leave? A wrong query is told, and holds up nothing else."""
    return all(name.startswith(QUERY) for name in found)


class Watchman:
    """Asked every minute."""

    def __init__(self, ledger: Ledger, file: RuleFile, told: Receivers, settle: Callable[[str], int]) -> None:
        self._ledger, self._file, self._told, self._settle = ledger, file, told, settle
        self._said, self._silences = set[str](), Silences(ledger)
        self._began: int | None = None
        self._labels = {
            rule.alert: group.labels | rule.labels for group in file.groups for rule in group.rules
        }

    def look(self, now: int, poster: Callable[[Request], Delivery] = post) -> dict[str, str]:
        """Say what is newly wrong; send the heartbeat where nothing is."""
        self._began = min(self._began or now, now)
        found = faults(self._ledger, self._file, self._settle, now, self._began)
        for name, text in found.items():
            if name not in self._said:
                log.error("alerting is not well", what=text)
                if self._told.meta:
                    self._ledger.enqueue(
                        f"meta-{name}-{now // MINUTE_MS}", "meta", self._told.meta, body(text, now), now
                    )
        self._said = set(found)
        self._warn(now)
        if is_well(found) and self._told.heartbeat is not None:
            beat = Outgoing(
                f"heartbeat-{now // MINUTE_MS}",
                "heartbeat",
                "heartbeat",
                "heartbeat",
                {"at": utc_text(now)},
                now,
                1,
            )
            try:
                done = poster(request_of(self._told.heartbeat, beat, now // 1000))
            except (KeyError, OSError, ValueError) as error:
                done = Delivery("again", unread(error))
            if done.outcome != "sent":
                log.warning("the heartbeat was not taken", why=done.error)
        return found

    def _warn(self, now: int) -> None:
        """Say once of a silence that it is about to end, where something still fires that it holds back."""
        own, meta = self._labels, self._told.meta
        firing = [(alert, dict(labels) | own.get(alert, {})) for alert, labels in self._ledger.firing()]
        for silence in self._silences.all(now) if meta else ():
            held = [alert for alert, labels in firing if silence.matches(alert, labels)]
            if meta and held and silence.starts <= now and silence.ends - now <= ENDS_SOON_MS:
                about = " ".join(f"{name}={value}" for name, value in silence.matchers.items())
                text = (
                    f"silence {silence.id} of {about} ends at {utc_text(silence.ends)}; {held[0]} still fires"
                )
                said = {"alert": "SilenceEnds", "explain": "ringback alerts silence list"}
                self._ledger.enqueue(f"silence-{silence.id}", "meta", meta, body(text, now) | said, now)


def body(text: str, now: int) -> dict[str, object]:
    """A message about alerting itself."""
    return {
        "episode": "meta", "status": "meta", "alert": "AlertingUnwell", "kpi": "",
        "labels": {"severity": "page"}, "annotations": {"summary": text}, "objective": "", "value": "",
        "n": 0, "window_ms": 0, "opened_at": utc_text(now), "at": utc_text(now),
        "explain": "ringback alerts list --problems",
    }  # fmt: skip
