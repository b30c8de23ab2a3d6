"""Raw events for `ringback explain`, folded anew, and how events are shown."""

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from kpis.catalogue.kpi import Kpi, Terms, total
from kpis.facts import Facts, LegFact
from kpis.fold.events import fold, unique
from kpis.rules import Rules
from reports.queries import rows
from schemas.codec import decode
from schemas.events import AgentStateChanged, ContactEvent, Envelope, order_key

ENVELOPE = {*Envelope.model_fields, "type"}
Shown = dict[str, Any]


class NoExplanation(ValueError):
    """The question cannot be answered: an unknown KPI, or parts that do not go together."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which number is to be explained: a KPI in [from_ms, to_ms), perhaps of one channel or queue."""

    kpi: Kpi
    from_ms: int
    to_ms: int
    as_of_ms: int
    channel: str | None = None
    queue: str | None = None
    zone: str = "UTC"

    def fits(self, channel: str, queue: str) -> bool:
        """Is it of the channel and queue asked for?"""
        return self.channel in (None, channel) and self.queue in (None, queue)

    def holds(self, time_ms: int | None) -> bool:
        """Is it in the range?"""
        return time_ms is not None and self.from_ms <= time_ms < self.to_ms


@dataclass(frozen=True, slots=True)
class Item:
    """What one contact, or an agent's quarter-hour, adds; `den` is None where the KPI is no quotient."""

    subject: dict[str, str]
    num: int
    den: int | None
    measures: dict[str, int] = field(default_factory=dict)
    note: str = ""
    events: tuple[Shown, ...] = ()
    related: tuple[tuple[str, str, tuple[Shown, ...]], ...] = ()  # contact, what it has to do with it, events


@dataclass(frozen=True, slots=True)
class Known:
    """Contacts with their events and facts."""

    events: dict[str, list[ContactEvent]]
    facts: dict[str, Facts]

    def shown(self, contact_id: str) -> tuple[Shown, ...]:
        """Events of a contact in order."""
        return tuple(show(event) for event in sorted(self.events[contact_id], key=order_key))

    def legs(self) -> Iterator[LegFact]:
        """Legs of all contacts."""
        return (leg for one in self.facts.values() for leg in one.legs)


@dataclass(frozen=True, slots=True)
class Reader:
    """Where raw events come from."""

    client: Client
    rules: Rules
    asked: Asked

    def parameters(self) -> dict[str, object]:
        """Query parameters of sql.explain_queries."""
        rules, asked = self.rules, self.asked
        longest = max(rules.stale_ms, rules.stale_async_ms)
        return {"from_ms": asked.from_ms, "to_ms": asked.to_ms, "as_of_ms": asked.as_of_ms,
                "acw_stale_ms": rules.acw_stale_ms, "stale_longest_ms": longest,
                "agent_state_max_ms": rules.agent_state_max_ms}  # fmt: skip

    def contacts(self, query: str) -> Known:
        """Contacts of a query of sql.explain_queries, folded."""
        found: defaultdict[str, list[ContactEvent]] = defaultdict(list)
        for row in rows(self.client, query, self.parameters()):
            event = decode(base64.b64decode(row["canonical64"]))
            assert isinstance(event, ContactEvent)
            found[event.contact_id].append(event)
        events = {contact_id: self.counted(some) for contact_id, some in found.items()}
        return Known(events, {contact_id: fold(some, self.rules) for contact_id, some in events.items()})

    def counted(self, found: list[ContactEvent]) -> list[ContactEvent]:
        """One variant of each event; of too many events those that count."""
        return sorted(unique(found), key=lambda event: event.event_id)[: self.rules.contact_max_events]

    def states(self, query: str) -> dict[str, list[AgentStateChanged]]:
        """State events by agent."""
        found: defaultdict[str, list[AgentStateChanged]] = defaultdict(list)
        for row in rows(self.client, query, self.parameters()):
            team, state, occurred_at, source = row["best"]
            found[row["agent"]].append(
                AgentStateChanged(
                    event_id=row["event_id"], agent=row["agent"], team=team or None, state=state,
                    occurred_at=occurred_at, source=source,
                )
            )  # fmt: skip
        return found


def utc_text(time_ms: int, exact: bool = False) -> str:
    """A time as JSON has it; exact: with milliseconds."""
    whole = datetime.fromtimestamp(time_ms // 1000, UTC).replace(microsecond=time_ms % 1000 * 1000)
    return whole.isoformat(timespec="milliseconds" if exact else "seconds").replace("+00:00", "Z")


def show(event: ContactEvent) -> Shown:
    """An event with the fields that tell something."""
    content = event.model_dump(exclude=ENVELOPE, exclude_none=True)
    return {"at": utc_text(event.occurred_at, exact=True), "type": event.type, "leg": event.leg, **content}


def relevant(kpi: Kpi, sums: dict[str, int]) -> dict[str, int]:
    """The measures that the KPI is made of and that are there."""
    return {name: sums[name] for name in {**kpi.num, **kpi.den} if sums.get(name)}


def part(terms: Terms, sums: dict[str, int]) -> int | None:
    """A numerator or denominator of one contact; None where all contacts together have 1."""
    return total(terms, sums) if terms else None


def add_up(rows_of_measures: Iterable[dict[str, int]]) -> dict[str, int]:
    """Sum of measures by name."""
    sums: defaultdict[str, int] = defaultdict(int)
    for row in rows_of_measures:
        for name, amount in row.items():
            sums[name] += amount
    return dict(sums)


def item(kpi: Kpi, contact_id: str, sums: dict[str, int], known: Known) -> Item | None:
    """A contact and what it adds; None if it is neither in the numerator nor in the denominator."""
    num, den = total(kpi.num, sums), part(kpi.den, sums)
    if not num and not den:
        return None
    subject = {"contact_id": contact_id}
    return Item(subject, num, den, relevant(kpi, sums), events=known.shown(contact_id))
