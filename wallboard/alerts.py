"""Alerts that fire, or fired lately: episodes, from the changes that alert_transitions keeps."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from schemas.time_units import HOUR_MS

SHOWN_AFTER_MS = HOUR_MS  # one that is over stays on the wall for a while: people ask what that was
OVER = frozenset({"resolved", "expired"})
# alert, labels as JSON, kind, when, when the episode opened, its id.
Change = tuple[str, str, str, int, int, str]


@dataclass(frozen=True, slots=True)
class Alert:
    """An episode: a rule that fires, or fired, for some labels."""

    name: str
    queue: str
    since_ms: int
    resolved_ms: int | None

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def queue_of(labels: str) -> str:
    """The queue among the labels; "" for an alert that is of none."""
    return str(dict(orjson.loads(labels)).get("queue", ""))


def episodes(changes: Iterable[Change], as_of_ms: int) -> tuple[Alert, ...]:
    """Those that fire at a moment, the latest first, then those that ended in the hour before it."""
    found: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change[3] <= as_of_ms:
            found[change[5]].append(change)
    alerts = []
    for parts in found.values():
        kinds = {change[2]: change for change in parts}
        if "firing" not in kinds:
            continue
        name, labels, _, _, opened_at, _ = kinds["firing"]
        ended = min((change[3] for kind, change in kinds.items() if kind in OVER), default=None)
        if ended is None or ended > as_of_ms - SHOWN_AFTER_MS:
            alerts.append(Alert(name, queue_of(labels), opened_at, ended))
    return tuple(sorted(alerts, key=lambda one: (one.resolved_ms is not None, -one.since_ms, one.queue)))


def firing_by_queue(alerts: Sequence[Alert]) -> dict[str, list[str]]:
    """Names of those that fire, by queue."""
    found: dict[str, list[str]] = defaultdict(list)
    for alert in alerts:
        if alert.resolved_ms is None and alert.queue:
            found[alert.queue].append(alert.name)
    return found
