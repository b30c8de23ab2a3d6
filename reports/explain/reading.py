"""Raw events for `ringback explain`, folded anew, and how events are shown."""

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from kpis.catalogue.kpi import Kpi, total
from kpis.facts import ContactFact, Facts, LegFact, OfferFact, SurveyFact
from kpis.fold.ageing import missing
from kpis.fold.events import fold, unique
from kpis.rules import Rules, stale_after_ms
from reports.queries import rows
from schemas.codec import decode
from schemas.event_order import order_key
from schemas.events import AgentStateChanged, ContactEvent, Envelope
from schemas.time_units import HOUR_MS

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
    where: tuple[tuple[str, str], ...] = ()  # other dimensions and their values, all of them

    def fits(self, channel: str, queue: str, dimensions: Mapping[str, str]) -> bool:
        """Is it of the channel, queue and dimensions asked for?"""
        if any(dimensions.get(name, "") != value for name, value in self.where):
            return False
        return self.channel in (None, channel) and self.queue in (None, queue)

    def holds(self, time_ms: int | None) -> bool:
        """Is it in the range?"""
        return time_ms is not None and self.from_ms <= time_ms < self.to_ms


def dimensions_of(fact: LegFact | OfferFact | ContactFact | SurveyFact) -> dict[str, str]:
    """What a fact can be asked by beside channel and queue: who had it, what it was about, one's own."""
    return {**fact.dimensions, "agent": fact.agent, "team": fact.team, "reason": fact.reason}


@dataclass(frozen=True, slots=True)
class Contributor:
    """What one contact, or an agent's quarter-hour, adds; `den` is None where the KPI is no quotient."""

    subject: dict[str, str]
    num: int
    den: int | None
    measures: dict[str, int] = field(default_factory=dict)
    note: str = ""
    events: tuple[Shown, ...] = ()
    related: tuple[tuple[str, str, tuple[Shown, ...]], ...] = ()  # contact, what it has to do with it, events


@dataclass(frozen=True, slots=True)
class FoldedContacts:
    """Contacts with their events and facts."""

    events: dict[str, list[ContactEvent]]
    facts: dict[str, Facts]
    rules: Rules
    as_of_ms: int

    def contributor(
        self,
        contact_id: str,
        num: int,
        den: int | None,
        measures: dict[str, int] | None = None,
        note: str = "",
        related: tuple[tuple[str, str, tuple[Shown, ...]], ...] = (),
    ) -> Contributor:
        """What a contact adds, with its events; the note also says if its end was lost."""
        said = "; ".join(text for text in (note, self.incomplete(contact_id)) if text)
        subject = {"contact_id": contact_id}
        return Contributor(subject, num, den, measures or {}, said, self.shown(contact_id), related)

    def incomplete(self, contact_id: str) -> str:
        """Why a contact is incomplete at the moment asked about (docs/facts.md 4); "" if it is not."""
        # As it was then: later events are invisible, those of a contact that has ended since among them.
        then = fold(self.events[contact_id], self.rules, self.as_of_ms)
        if then.contact is None:
            return ""
        flag = missing(then.contact, then.legs, self.as_of_ms, self.rules)
        hours = stale_after_ms(self.rules, then.contact.channel) // HOUR_MS
        silent = f"at {utc_text(self.as_of_ms)} nothing had been heard of it for {hours} h or longer"
        return {
            "": "",
            "END_MISSING": f"incomplete: {silent}, and it had no end (END_MISSING)",
            "LEG_MISSING": f"incomplete: {silent}, and the leg it was passed to had not come (LEG_MISSING)",
        }[flag]

    def shown(self, contact_id: str) -> tuple[Shown, ...]:
        """Events of a contact in order."""
        return tuple(show(event) for event in sorted(self.events[contact_id], key=order_key))

    def legs(self) -> Iterator[LegFact]:
        """The legs of every contact that was read."""
        return (leg for one in self.facts.values() for leg in one.legs)


@dataclass(frozen=True, slots=True)
class Reader:
    """Where raw events come from."""

    client: Client
    rules: Rules
    asked: Asked

    def parameters(self) -> dict[str, object]:
        """The question as parameters of the queries in sql.explain_queries."""
        rules, asked = self.rules, self.asked
        longest = max(rules.stale_ms, rules.stale_async_ms)
        return {"from_ms": asked.from_ms, "to_ms": asked.to_ms, "as_of_ms": asked.as_of_ms,
                "acw_stale_ms": rules.acw_stale_ms, "stale_longest_ms": longest,
                "agent_state_max_ms": rules.agent_state_max_ms}  # fmt: skip

    def contacts(self, query: str) -> FoldedContacts:
        """Contacts of a query of sql.explain_queries, folded."""
        found: defaultdict[str, list[ContactEvent]] = defaultdict(list)
        for row in rows(self.client, query, self.parameters()):
            event = decode(base64.b64decode(row["canonical64"]))
            assert isinstance(event, ContactEvent)
            found[event.contact_id].append(event)
        events = {contact_id: self.counted(some) for contact_id, some in found.items()}
        facts = {contact_id: fold(some, self.rules) for contact_id, some in events.items()}
        return FoldedContacts(events, facts, self.rules, self.asked.as_of_ms)

    def counted(self, found: list[ContactEvent]) -> list[ContactEvent]:
        """One variant of each event; of too many events those that count."""
        return sorted(unique(found), key=lambda event: event.event_id)[: self.rules.contact_max_events]

    def states(self, query: str) -> dict[str, list[AgentStateChanged]]:
        """The state events that a query finds, by agent: of each the statement that counts."""
        found: defaultdict[str, list[AgentStateChanged]] = defaultdict(list)
        for row in rows(self.client, query, self.parameters()):
            team, state, occurred_at, source, reason = row["best"]
            found[row["agent"]].append(
                AgentStateChanged(
                    event_id=row["event_id"], agent=row["agent"], team=team or None, state=state,
                    occurred_at=occurred_at, source=source, reason=reason,
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


def own_denominator(kpi: Kpi, sums: dict[str, int]) -> int | None:
    """What one contributor adds to the denominator; None where all together have 1."""
    return total(kpi.den, sums) if kpi.den else None


def add_up(rows_of_measures: Iterable[dict[str, int]]) -> dict[str, int]:
    """Sum of measures by name."""
    sums: defaultdict[str, int] = defaultdict(int)
    for row in rows_of_measures:
        for name, amount in row.items():
            sums[name] += amount
    return dict(sums)


def contributor_of(
    kpi: Kpi, contact_id: str, sums: dict[str, int], folded: FoldedContacts
) -> Contributor | None:
    """A contact and what it adds; None if it is neither in the numerator nor in the denominator."""
    num, den = total(kpi.num, sums), own_denominator(kpi, sums)
    if not num and not den:
        return None
    return folded.contributor(contact_id, num, den, relevant(kpi, sums))
