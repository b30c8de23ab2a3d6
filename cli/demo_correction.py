"""What the demo corrects when the day is over: an answer was told too late, and a number changes."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from cli.printable import printable
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import Rules, target_ms
from reports.explain.explanation import Asked, Explanation, explain
from schemas.events import ContactAnswered, ContactQueued, Event
from schemas.time_units import QUARTER_MS
from simulator.dip import QUEUE
from wallboard.local_day import local

KPI = "service_level"
IN_TIME_MS = 9_000  # the wait as it was, says the correction


@dataclass(slots=True)
class Correction:
    """Watches what is sent for a call of the dip that waited too long, and knows how it really was."""

    rules: Rules
    _queued: dict[tuple[str, int], int] = field(default_factory=dict)
    _revisions: dict[tuple[str, str], int] = field(default_factory=dict)
    _found: dict[tuple[str, str], tuple[ContactAnswered, int]] = field(default_factory=dict)

    def watch(self, event: Event) -> None:
        """An event that is sent; corrections among them are known by their revision."""
        if isinstance(event, ContactQueued) and event.queue == QUEUE:
            self._queued[event.contact_id, event.leg] = event.occurred_at
        elif isinstance(event, ContactAnswered):
            self._answered(event)

    def _answered(self, event: ContactAnswered) -> None:
        key = event.contact_id, event.event_id
        queued_at = self._queued.get((event.contact_id, event.leg))
        if queued_at is None or event.revision < self._revisions.get(key, 0):
            return
        self._revisions[key] = event.revision
        self._found.pop(key, None)
        if event.occurred_at - queued_at > target_ms(self.rules, "voice", QUEUE, queued_at):
            self._found[key] = event, queued_at

    def chosen(self) -> tuple[ContactAnswered, int] | None:
        """The call that waited longest: as it was told, and when it was queued."""
        found = self._found.values()
        return max(found, key=lambda pair: (pair[0].occurred_at - pair[1], pair[0].contact_id), default=None)


def corrected(answered: ContactAnswered, queued_at: int) -> ContactAnswered:
    """The same event as it really was: one revision later, some seconds after the call was queued."""
    change = {"occurred_at": queued_at + IN_TIME_MS, "revision": answered.revision + 1}
    return answered.model_copy(update=change)


def explained(client: Client, rules: Rules, at_ms: int, as_of_ms: int, zone: str) -> Explanation:
    """The service level of the quarter-hour that a call was queued in."""
    begin = at_ms // QUARTER_MS * QUARTER_MS
    asked = Asked(every_kpi(rules)[KPI], begin, begin + QUARTER_MS, as_of_ms, None, QUEUE, zone)
    return explain(client, asked, rules)


def share(found: Explanation) -> str:
    """A service level as people read it."""
    return f"{100 * found.num / found.den:.1f} % ({found.num} of {found.den})" if found.den else "-"


def clock(time_ms: int, zone: str) -> str:
    """A moment of the day."""
    return local(time_ms, ZoneInfo(zone)).strftime("%H:%M:%S")


def lines(told: ContactAnswered, now: ContactAnswered, before: Explanation, after: Explanation) -> list[str]:
    """What changed, and why: the contact, its event as it was told and as it was corrected."""
    zone, asked = before.asked.zone, before.asked
    span = f"{clock(asked.from_ms, zone)[:5]} to {clock(asked.to_ms, zone)[:5]}"
    return [
        f"a late correction: service level of {QUEUE}, {span}, was {share(before)} and is {share(after)}",
        f"  because contact {printable(told.contact_id)} was answered at {clock(now.occurred_at, zone)} "
        f"(contact_answered, revision {now.revision}), not at {clock(told.occurred_at, zone)} as told first",
    ]
