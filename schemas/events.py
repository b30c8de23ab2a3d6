"""What an event is: one frozen pydantic model per Avro record in `schemas/avro`.

The envelope is on every contact event. Times are UTC milliseconds by the source's own clock; the time an
event arrived is no part of it, because no KPI may depend on it.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from schemas.event_fields import (
    Channel,
    Count,
    Dimensions,
    DurationMs,
    Id,
    Name,
    Ordinal,
    Revision,
    Score,
    TimeMs,
)
from schemas.scores import whole_scores


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
    revision: Revision = 0


class ContactStarted(Envelope):
    """The contact began: the call was set up, the chat opened, the e-mail arrived."""

    type: Literal["contact_started"] = "contact_started"
    direction: Literal["inbound", "outbound"] = "inbound"
    customer_key: Name | None = None
    reason: Name | None = None
    entry: Literal["direct", "ivr", "bot"] = "direct"
    callback_of: Id | None = None
    parent_contact_id: Id | None = None
    dimensions: Dimensions | None = None


class ContactQueued(Envelope):
    """The leg was placed in a queue to wait for an agent."""

    type: Literal["contact_queued"] = "contact_queued"
    queue: Name
    dimensions: Dimensions | None = None


class ContactAnswered(Envelope):
    """An agent took the leg; on asynchronous channels the first human reply."""

    type: Literal["contact_answered"] = "contact_answered"
    agent: Name | None = None
    team: Name | None = None
    queue: Name | None = None
    customer_key: Name | None = None
    reason: Name | None = None
    wait_ms: DurationMs | None = None
    dimensions: Dimensions | None = None


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
    wait_ms: DurationMs | None = None
    talk_ms: DurationMs | None = None
    hold_ms: DurationMs | None = None
    hold_n: Count | None = None
    hold_max_ms: DurationMs | None = None
    acw_ms: DurationMs | None = None


class ContactAbandoned(Envelope):
    """The contact ended without an agent having resolved it."""

    type: Literal["contact_abandoned"] = "contact_abandoned"
    place: Literal["ivr", "queue", "ring", "hold"]
    by: Literal["customer", "system"] = "customer"
    wait_ms: DurationMs | None = None
    talk_ms: DurationMs | None = None
    hold_ms: DurationMs | None = None
    hold_n: Count | None = None
    hold_max_ms: DurationMs | None = None
    acw_ms: DurationMs | None = None


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
    wait_ms: DurationMs | None = None
    dimensions: Dimensions | None = None


class ContactWrapped(Envelope):
    """The agent finished the after-contact work of the leg."""

    type: Literal["contact_wrapped"] = "contact_wrapped"
    agent: Name | None = None


class ContactReopened(Envelope):
    """A closed contact was opened again; begins the leg it carries."""

    type: Literal["contact_reopened"] = "contact_reopened"
    by: Literal["customer", "agent", "system"] = "customer"


class ContactSurveyed(Envelope):
    """A survey about the contact was answered. For `kind` fcr the score is 1 (yes) or 0 (no)."""

    type: Literal["contact_surveyed"] = "contact_surveyed"
    kind: Literal["csat", "nps", "ces", "aes", "fcr"]
    score: Score
    scale_min: Score
    scale_max: Score
    higher_is_better: bool = True
    respondent: Literal["customer", "agent"] = "customer"
    ignored: bool = False

    @model_validator(mode="before")
    @classmethod
    def with_whole_scores(cls, fields: Any) -> Any:
        """Scores with decimals on a finer scale."""
        return whole_scores(fields)


class ContactOffered(Envelope):
    """An agent was offered the leg, and that is over: the telephone rang, the chat popped up."""

    type: Literal["contact_offered"] = "contact_offered"
    agent: Name
    team: Name | None = None
    outcome: Literal["answered", "missed", "refused", "timed_out", "withdrawn"]
    ring_ms: DurationMs | None = None


class ContactReplied(Envelope):
    """Somebody wrote in an asynchronous contact; the first by an agent is an answer, if nothing else is."""

    type: Literal["contact_replied"] = "contact_replied"
    by: Literal["agent", "customer", "bot", "system"]
    agent: Name | None = None
    team: Name | None = None


class ContactRejected(Envelope):
    """The contact was turned away before any queue took it."""

    type: Literal["contact_rejected"] = "contact_rejected"
    cause: Literal["closed", "full", "empty", "blocked", "other"]
    queue: Name | None = None


class ContactClosed(Envelope):
    """The contact was closed for good, after its resolution: backlog ends here."""

    type: Literal["contact_closed"] = "contact_closed"
    by: Literal["agent", "customer", "bot", "system"] = "system"
    agent: Name | None = None


class ContactWithdrawn(Envelope):
    """The contact never was one, or is part of another: it counts nowhere. The latest statement wins."""

    type: Literal["contact_withdrawn"] = "contact_withdrawn"
    cause: Literal["merged", "spam", "test", "deleted", "duplicate", "other"]
    merged_into: Id | None = None
    undone: bool = False


class ContactLinked(Envelope):
    """The contact belongs to another: an agent's inquiry call, a continuation, a request passed on."""

    type: Literal["contact_linked"] = "contact_linked"
    kind: Literal["consult", "parent", "forwarded", "related"]
    to_contact_id: Id


class AgentStateChanged(Strict):
    """An agent changed state; keyed by agent on a topic of its own."""

    event_id: Id
    type: Literal["agent_state_changed"] = "agent_state_changed"
    agent: Name
    team: Name | None = None
    state: Literal["available", "busy", "break", "training", "meeting", "offline"]
    occurred_at: TimeMs
    source: Name
    revision: Revision = 0
    reason: Name | None = None


class SourceHeartbeat(Strict):
    """The source is alive and has told everything up to `occurred_at`; on a topic of its own."""

    event_id: Id
    type: Literal["source_heartbeat"] = "source_heartbeat"
    source: Name
    occurred_at: TimeMs
    revision: Revision = 0


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
    | ContactOffered
    | ContactReplied
    | ContactRejected
    | ContactClosed
    | ContactWithdrawn
    | ContactLinked
)
Event = ContactEvent | AgentStateChanged | SourceHeartbeat

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
    "contact_offered": ContactOffered,
    "contact_replied": ContactReplied,
    "contact_rejected": ContactRejected,
    "contact_closed": ContactClosed,
    "contact_withdrawn": ContactWithdrawn,
    "contact_linked": ContactLinked,
    "agent_state_changed": AgentStateChanged,
    "source_heartbeat": SourceHeartbeat,
}
