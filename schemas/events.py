"""What an event is: one frozen pydantic model per Avro record in `schemas/avro`.

The envelope is on every contact event. Times are UTC milliseconds by the source's own clock; the time an
event arrived is no part of it, because no KPI may depend on it.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.time_units import DAY_MS

# 1990 to 2100: a date outside is a broken clock or a broken parser, never a contact.
OCCURRED_AT_MIN = 631_152_000_000
OCCURRED_AT_MAX = 4_102_444_800_000
DURATION_MAX_MS = 10 * 366 * DAY_MS

Id = Annotated[str, Field(min_length=1, max_length=256)]
Name = Annotated[str, Field(min_length=1, max_length=256)]
TimeMs = Annotated[int, Field(ge=OCCURRED_AT_MIN, lt=OCCURRED_AT_MAX)]
DurationMs = Annotated[int, Field(ge=0, le=DURATION_MAX_MS)]
Ordinal = Annotated[int, Field(ge=1, le=100_000)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Score = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
Channel = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class Strict(BaseModel):
    """Frozen, no unknown fields, no silent conversion: "1" is not 1."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Envelope(Strict):
    """Fields that every contact event has."""

    event_id: Id
    contact_id: Id
    leg: Ordinal = 1
    occurred_at: TimeMs
    source: Name
    channel: Channel = "voice"
    revision: Annotated[int, Field(ge=0, lt=2**31)] = 0


class ContactStarted(Envelope):
    """The contact began: the call was set up, the chat opened, the e-mail arrived."""

    type: Literal["contact_started"] = "contact_started"
    direction: Literal["inbound", "outbound"] = "inbound"
    customer_key: Name | None = None
    reason: Name | None = None
    entry: Literal["direct", "ivr", "bot"] = "direct"
    callback_of: Id | None = None
    parent_contact_id: Id | None = None


class ContactQueued(Envelope):
    """The leg was placed in a queue to wait for an agent."""

    type: Literal["contact_queued"] = "contact_queued"
    queue: Name


class ContactAnswered(Envelope):
    """An agent took the leg; on asynchronous channels the first human reply."""

    type: Literal["contact_answered"] = "contact_answered"
    agent: Name | None = None
    team: Name | None = None
    queue: Name | None = None
    customer_key: Name | None = None
    reason: Name | None = None


class ContactHeld(Envelope):
    """The agent put the customer on hold; `hold_no` pairs it with its end."""

    type: Literal["contact_held"] = "contact_held"
    hold_no: Ordinal = 1


class ContactResumed(Envelope):
    """The customer is back from the hold `hold_no`."""

    type: Literal["contact_resumed"] = "contact_resumed"
    hold_no: Ordinal = 1


class ContactTransferred(Envelope):
    """The leg ended because the contact went elsewhere."""

    type: Literal["contact_transferred"] = "contact_transferred"
    kind: Literal["cold", "warm", "external", "queue_flow", "callback", "voicemail"]
    to_queue: Name | None = None
    to_agent: Name | None = None


class ContactAbandoned(Envelope):
    """The contact ended without an agent having resolved it."""

    type: Literal["contact_abandoned"] = "contact_abandoned"
    place: Literal["ivr", "queue", "ring", "hold"]
    by: Literal["customer", "system"] = "customer"


class ContactResolved(Envelope):
    """The interaction ended; `outcome` says whether the issue is solved, the durations are measured ones."""

    type: Literal["contact_resolved"] = "contact_resolved"
    outcome: Literal["resolved", "unresolved", "unknown"] = "unknown"
    by: Literal["agent", "bot", "customer", "system"] = "agent"
    level1_resolvable: bool = True
    customer_key: Name | None = None
    reason: Name | None = None
    talk_ms: DurationMs | None = None
    hold_ms: DurationMs | None = None
    hold_n: Count | None = None
    hold_max_ms: DurationMs | None = None
    acw_ms: DurationMs | None = None


class ContactWrapped(Envelope):
    """The agent finished the after-contact work of the leg."""

    type: Literal["contact_wrapped"] = "contact_wrapped"
    agent: Name | None = None


class ContactReopened(Envelope):
    """A closed contact was opened again; begins the leg it carries."""

    type: Literal["contact_reopened"] = "contact_reopened"


class ContactSurveyed(Envelope):
    """A survey about the contact was answered. For `kind` fcr the score is 1 (yes) or 0 (no)."""

    type: Literal["contact_surveyed"] = "contact_surveyed"
    kind: Literal["csat", "nps", "ces", "aes", "fcr"]
    score: Score
    scale_min: Score
    scale_max: Score
    higher_is_better: bool = True
    respondent: Literal["customer", "agent"] = "customer"


class AgentStateChanged(Strict):
    """An agent changed state; keyed by agent on a topic of its own."""

    event_id: Id
    type: Literal["agent_state_changed"] = "agent_state_changed"
    agent: Name
    team: Name | None = None
    state: Literal["available", "busy", "break", "training", "meeting", "offline"]
    occurred_at: TimeMs
    source: Name
    revision: Annotated[int, Field(ge=0, lt=2**31)] = 0


class SourceHeartbeat(Strict):
    """The source is alive and has told everything up to `occurred_at`; on a topic of its own."""

    event_id: Id
    type: Literal["source_heartbeat"] = "source_heartbeat"
    source: Name
    occurred_at: TimeMs
    revision: Annotated[int, Field(ge=0, lt=2**31)] = 0


ContactEvent = (
    ContactStarted
    | ContactQueued
    | ContactAnswered
    | ContactHeld
    | ContactResumed
    | ContactTransferred
    | ContactAbandoned
    | ContactResolved
    | ContactWrapped
    | ContactReopened
    | ContactSurveyed
)
Event = ContactEvent | AgentStateChanged | SourceHeartbeat

# Order of types at the same instant (facts.md 1): a contact starts before it queues before it is answered.
TYPE_RANK: dict[str, int] = {
    "contact_started": 0,
    "contact_reopened": 1,
    "contact_queued": 2,
    "contact_answered": 3,
    "contact_held": 4,
    "contact_resumed": 5,
    "contact_transferred": 6,
    "contact_abandoned": 7,
    "contact_resolved": 8,
    "contact_wrapped": 9,
    "contact_surveyed": 10,
}

MODELS: dict[str, type[Event]] = {
    "contact_started": ContactStarted,
    "contact_queued": ContactQueued,
    "contact_answered": ContactAnswered,
    "contact_held": ContactHeld,
    "contact_resumed": ContactResumed,
    "contact_transferred": ContactTransferred,
    "contact_abandoned": ContactAbandoned,
    "contact_resolved": ContactResolved,
    "contact_wrapped": ContactWrapped,
    "contact_reopened": ContactReopened,
    "contact_surveyed": ContactSurveyed,
    "agent_state_changed": AgentStateChanged,
    "source_heartbeat": SourceHeartbeat,
}


def order_key(event: ContactEvent) -> tuple[int, int, str]:
    """Total order of a contact's events: (occurred_at, type rank, event_id), whatever order they came in."""
    return event.occurred_at, TYPE_RANK[event.type], event.event_id
