"""The ServiceNow incident event log (UCI 2016): the rows of one incident -> the events of one contact.

Every row tells the whole incident as it was after one update. Two counters of the desk decide what happened
(`reassignment_count`: passed on, `reopen_count`: opened again), the states only when: a few rows carry the
wrong version and take states back, but never raise a counter. Each rise is one event; a counter that falls is
one of those rows.

- Channel: all are "messaging". The contact is the ticket, not the telephone call that opened most of them
  (contact_type Phone): it is worked on for days, nobody waits on the line, so the rules of asynchronous
  channels fit. "email" would leave out holds, and "Awaiting User Info" is what a hold is here.
- A leg is a stint in one group. It begins with the queue of that group (the first at opened_at), and is
  answered when the log first names an agent, or with the first hold: to ask the user back is an answer. A
  later agent of the same group is no new leg.
- A reassignment is a cold transfer, also where no agent was named yet: a person passed it on. The moment of
  the answer is unknown there (flag ANSWER_MISSING).
- The resolution is told by the row that enters Resolved and corrected (same event_id, greater revision) where
  the log knows better: a group that gets a resolved incident has the resolution from then on, and the last
  row, if Closed, says finally when it was: resolved_at, else closed_at. Earlier rows have both too, but from
  the future. Closed alone is an end that nobody calls a resolution (outcome unknown).

A row's events depend on it and on earlier rows alone, but for that final correction: a longer export of the
same incident repeats them to the byte.
"""

from collections.abc import Iterable
from typing import Any

from adapters.kit.outcomes import build
from adapters.servicenow.rows import Row
from schemas.customer_key import customer_key
from schemas.events import ContactAnswered, ContactResolved, Event

SOURCE = "servicenow"
CHANNEL = "messaging"
RESOLVED, CLOSED = "Resolved", "Closed"
ON_HOLD = "Awaiting"  # Awaiting User Info, Vendor, Problem, Evidence


def in_order(rows: Iterable[Row]) -> list[tuple[str, Row]]:
    """Rows by version, each with a name for its events; a row that is there twice counts once.

    Some versions have two different rows: the one updated earlier is first, the other has a name of its own.
    How the lines stand in the file decides nothing.
    """
    versions: dict[int, set[Row]] = {}
    for row in rows:
        versions.setdefault(row.version, set()).add(row)
    named = []
    for version in sorted(versions):
        of_one = [*versions[version]]
        if len(of_one) > 1:
            of_one.sort(key=lambda row: (row.updated_at, repr(row)))
        for count, row in enumerate(of_one, start=1):
            named.append((f"{version:05}" + (f".{count}" if count > 1 else ""), row))
    return named


class IncidentEvents:
    """The events of one incident while its rows are read in order."""

    def __init__(self, first: Row, secret: bytes) -> None:
        self.events: list[Event] = []
        self._row, self._name, self._secret = first, "", secret
        self._leg, self._reassigned, self._reopened = 1, 0, 0
        self._begin()

    def _begin(self) -> None:
        """Nothing is known of the leg yet."""
        self._queued = self._held = False
        self._hold_no = 0
        self._answer: ContactAnswered | None = None
        self._resolution: ContactResolved | None = None

    def _add(self, type_: str, **more: Any) -> Event:
        fields = {
            "event_id": f"{self._name}-{type_}",
            "contact_id": f"{SOURCE}-{self._row.number}",
            "leg": self._leg,
            "occurred_at": self._row.updated_at,
            "source": SOURCE,
            "channel": CHANNEL,
        }
        event = build(f"contact_{type_}", fields | more)
        self.events.append(event)
        return event

    def _correct(self, event: Event, revision: int, **changes: Any) -> Event:
        """Say the same event again as it is known now."""
        corrected = build(event.type, event.model_dump() | changes | {"revision": revision})
        self.events.append(corrected)
        return corrected

    def _known(self) -> dict[str, Any]:
        """What a row says of customer and reason; the last one that says it counts."""
        caller, category = self._row.caller, self._row.category
        key = customer_key(caller, self._secret) if caller else None
        return {"customer_key": key, "reason": category or None}

    def read_row(self, place: int, name: str, row: Row) -> None:
        """The events of a row, which is the place-th (from 0) of its incident."""
        self._row, self._name = row, name
        if place == 0:
            # "opened" comes before "resolved" in text: the later of two at one time knows better who and why.
            self._add("started", event_id=f"{name}-opened", occurred_at=row.opened_at, **self._known())
        if row.reopened > self._reopened:
            self._reopen()
        passed_on = self._pass_on() if row.reassigned > self._reassigned else None
        if self._resolution is None:
            self._work(place)
            self._resolve(place, passed_on)

    def _reopen(self) -> None:
        self._reopened = self._row.reopened
        self._leg += 1
        self._begin()
        self._add("reopened")

    def _pass_on(self) -> ContactResolved | None:
        """Another group has it now. The resolution, if it has one, goes with it."""
        self._reassigned = self._row.reassigned
        resolution = self._resolution
        if self._held:
            self._add("resumed", hold_no=self._hold_no)
        self._add("transferred", kind="cold", to_queue=self._row.group or None)
        self._leg += 1
        self._begin()
        return resolution

    def _work(self, place: int) -> None:
        """Queue, agent and hold of the leg."""
        row = self._row
        if row.group and not self._queued:
            queued_at = row.opened_at if place == 0 and self._leg == 1 else row.updated_at
            self._add("queued", queue=row.group, occurred_at=queued_at)
            self._queued = True
        waiting = row.state.startswith(ON_HOLD)
        if waiting or row.agent:
            self._take(place)
        if waiting and not self._held:
            self._hold_no += 1
            self._add("held", hold_no=self._hold_no)
        elif self._held and not waiting:
            self._add("resumed", hold_no=self._hold_no)
        self._held = waiting

    def _take(self, place: int) -> None:
        """The leg is answered; an agent who is named after that took it then."""
        who = {"agent": self._row.agent or None, "team": self._row.group or None}
        if self._answer is None:
            event = self._add("answered", **who)
        elif self._answer.agent is None and self._row.agent:
            event = self._correct(self._answer, place, **who)
        else:
            return
        assert isinstance(event, ContactAnswered)
        self._answer = event

    def _resolve(self, place: int, passed_on: ContactResolved | None) -> None:
        """The leg ends if the row says so, or if the incident was passed on to it resolved."""
        row = self._row
        if passed_on:
            there = {"leg": self._leg, "occurred_at": row.updated_at}
            event = self._correct(passed_on, place, **there, **self._known())
        elif row.state == RESOLVED:
            event = self._add("resolved", outcome="resolved", by="agent", **self._known())
        elif row.state == CLOSED:
            event = self._add("resolved", outcome="unknown", by="system", **self._known())
        else:
            return
        assert isinstance(event, ContactResolved)
        self._resolution = event

    def finish(self, rows: int) -> None:
        """The last row has been told. Closed, it may be believed in how the incident ended."""
        row, resolution = self._row, self._resolution
        if row.state != CLOSED or resolution is None:
            return
        ended_at = row.resolved_at or row.closed_at or resolution.occurred_at
        final = {"occurred_at": ended_at, **self._known()}
        if final != {name: getattr(resolution, name) for name in final}:
            self._correct(resolution, rows, **final)


def incident_events(rows: Iterable[Row], secret: bytes) -> tuple[Event, ...]:
    """The events of an incident from all its rows (at least one). Raises InvalidInput."""
    ordered = in_order(rows)
    incident = IncidentEvents(ordered[0][1], secret)
    for place, (name, row) in enumerate(ordered):
        incident.read_row(place, name, row)
    incident.finish(len(ordered))
    return tuple(incident.events)
