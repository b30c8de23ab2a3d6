"""What is known of a contact once its events are folded: the nouns of the numbers.

Times are UTC milliseconds, durations integer milliseconds, flags 0 or 1 so that they add up. None means
unknown (a sum leaves it out), "" means none. docs/facts.md defines every field in a sentence.
"""

from dataclasses import dataclass

from kpis.frozen import frozen


@frozen
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
    dimensions: dict[str, str]
    entered_at: int
    answered_at: int | None
    ended_at: int | None
    handled_at: int | None
    end_type: str  # "", transferred, abandoned, resolved or rejected
    # kind of the transfer, place of the abandonment, outcome of the resolution, cause of the rejection
    end_detail: str
    offered: int
    handled: int
    answered: int
    abandoned: int
    ivr_abandoned: int
    rejected: int
    flow_out: int
    waiting: int
    transferred_out: int
    hold_abandon: int
    queue_ms: int | None
    queue_business_ms: int | None  # what of it lay within the queue's business hours
    talk_ms: int | None
    hold_ms: int
    hold_n: int
    hold_max_ms: int
    acw_ms: int
    acw_known: int
    handle_ms: int | None
    first_reply: int  # the first human reply to the customer came on this leg
    first_response_ms: int | None  # how long that took: since the customer's last opening,
    first_response_created_ms: int | None  # and since the contact began; None on all other legs
    flags: tuple[str, ...]
    first_response_created_business_ms: int | None = None  # what of that lay within business hours


@frozen
class ContactFact:
    """One customer's contact from start to end, over all its legs."""

    contact_id: str
    channel: str
    direction: str
    entry: str
    customer_key: str | None
    reason: str
    dimensions: dict[str, str]
    callback_of: str | None
    parent_contact_id: str | None
    started_at: int
    entered_at: int  # when it first entered a queue, else started_at
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
    short_abandoned: int
    answered: int  # offered, and an agent had it, in whatever queue
    abandoned: int  # offered, no agent had it, and the customer left
    wait_ms: int | None  # in queues, until the first agent or the end
    agent_replies: int  # of a written inbound contact: how often agents wrote,
    reply_ms: int  # how long customers' messages after the first reply waited for the next one,
    reply_n: int  # and how many did,
    customer_wait_ms: int  # and for how long the customer waited for anybody in all
    closed_at: int | None  # for good: no work is later
    consult_of: str | None  # an agent's inquiry about that contact: no contact of its own
    forwarded_from: str | None  # that contact's request, passed on: no repeat of it
    rejected: int
    level1_resolvable: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SurveyFact:
    """The answer that counts for one (contact, kind, respondent)."""

    contact_id: str
    kind: str
    respondent: str
    leg: int
    channel: str
    queue: str
    agent: str
    team: str
    reason: str
    dimensions: dict[str, str]
    responded_at: int
    booked_at: int  # end of the contact, while it has none the time of the answer
    score: int
    scale_min: int
    scale_max: int
    higher_is_better: int
    late: int
    orphan: int


@dataclass(frozen=True, slots=True)
class LegDuration:
    """A leg where its wait or its handling is booked: what longest values and percentiles of a time are from.

    The time leads its key, so that one day is read without all others.
    """

    kind: str  # waited or handled
    booked_at: int  # begin of the minute
    contact_id: str
    leg: int
    channel: str
    queue: str
    answered: int
    queue_ms: int | None
    handle_ms: int | None
    hold_n: int
    hold_max_ms: int


@dataclass(frozen=True, slots=True)
class OfferFact:
    """A leg was offered to an agent, and what came of it: the grain of who misses and who refuses."""

    contact_id: str
    event_id: str
    leg: int
    channel: str
    direction: str
    queue: str
    agent: str
    team: str
    reason: str
    dimensions: dict[str, str]
    ended_at: int  # when the offer was over
    outcome: str  # answered, missed, refused, timed_out or withdrawn
    ring_ms: int | None
    beside: int  # answered, and not to be seen from the leg: that was in no queue, or is not answered


@dataclass(frozen=True, slots=True)
class FcrFact:
    """A contact among those of its customer: what decides about first contact resolution (docs/facts.md 8).

    Nothing here depends on the length of the window: whether the next contact came within it is asked later.
    """

    customer_key: str
    contact_id: str
    channel: str
    queue: str
    agent: str
    team: str
    reason: str
    started_at: int
    begins_at: int
    ended_at: int | None  # of the anchor, a call-back counted in; None where it is no anchor
    anchor: int
    failed: int  # by itself: not resolved, unresolved or reopened
    level1_resolvable: int
    transferred: int
    next_at: int | None
    previous_end_at: int | None


@dataclass(frozen=True, slots=True)
class AgentQuarter:
    """What an agent did in a quarter-hour of UTC (docs/facts.md 9)."""

    agent: str
    window_start: int
    team: str
    busy_ms: int  # union of the sessions
    session_ms: int  # sum of the sessions
    logged_ms: int
    idle_ms: int  # available and not busy
    logged_busy_ms: int
    sessions: int  # finished in this quarter


@frozen
class Facts:
    """All facts of one contact. `contact` is None while only a survey is known of it."""

    contact: ContactFact | None
    legs: tuple[LegFact, ...]
    surveys: tuple[SurveyFact, ...]
    offers: tuple[OfferFact, ...] = ()


NO_FACTS = Facts(contact=None, legs=(), surveys=())
