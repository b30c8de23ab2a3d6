"""What is known of a contact once its events are folded: the nouns of the numbers.

Times are UTC milliseconds, durations integer milliseconds, flags 0 or 1 so that they add up. None means
unknown (a sum leaves it out), "" means none. docs/facts.md defines every field in a sentence.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LegFact:
    """One stint of a contact in one queue or with one agent: the grain of queue and agent KPIs."""

    contact_id: str
    leg: int
    channel: str
    direction: str
    queue: str
    agent: str
    team: str
    reason: str
    entered_at: int
    answered_at: int | None
    ended_at: int | None
    handled_at: int | None
    end_type: str  # "", transferred, abandoned or resolved
    end_detail: str  # kind of the transfer, place of the abandonment, outcome of the resolution
    offered: int
    handled: int
    answered: int
    abandoned: int
    ivr_abandoned: int
    flow_out: int
    waiting: int
    transferred_out: int
    hold_abandon: int
    queue_ms: int | None
    talk_ms: int | None
    hold_ms: int
    hold_n: int
    hold_max_ms: int
    acw_ms: int
    acw_known: int
    handle_ms: int | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContactFact:
    """One customer's contact from start to end, over all its legs."""

    contact_id: str
    channel: str
    direction: str
    entry: str
    customer_key: str | None
    reason: str
    callback_of: str | None
    parent_contact_id: str | None
    started_at: int
    last_event_at: int
    ended_at: int | None
    first_resolved_at: int | None
    last_resolved_at: int | None
    end_type: str
    end_detail: str
    end_by: str
    entry_queue: str
    queue: str  # of the last handled leg, else the entry queue
    agent: str
    team: str
    legs: int
    offered: int
    handled: int
    transfers: int
    queue_ms: int | None
    handle_ms: int | None
    first_resolution_ms: int | None
    full_resolution_ms: int | None
    reopens: int
    contained: int
    level1_resolvable: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SurveyFact:
    """The answer that counts for one (contact, kind, respondent)."""

    contact_id: str
    kind: str
    respondent: str
    leg: int
    responded_at: int
    score: int
    scale_min: int
    scale_max: int
    higher_is_better: int
    late: int
    orphan: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of one contact. `contact` is None while only a survey is known of it."""

    contact: ContactFact | None
    legs: tuple[LegFact, ...]
    surveys: tuple[SurveyFact, ...]


NO_FACTS = Facts(contact=None, legs=(), surveys=())
