"""A contact and its legs while they happen: what the simulation acts on and its truth is counted from."""

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Contact:
    """A contact and its running totals. `outstanding` counts what can still happen to it."""

    contact_id: str
    channel: str
    direction: str
    entry: str
    customer: int
    started_at: int
    last_leg: int = 1
    entry_queue: str = ""
    owner_queue: str = ""
    handled: int = 0
    reached: bool = False  # by an agent, out of a queue
    first_queued_at: int | None = None
    waited_ms: int = 0  # until the first agent
    queue_ms: int = 0
    waits: int = 0
    abandoned: int = 0
    replies: int = 0  # of agents, to a customer who writes
    waits_since: int = -1  # the customer, for a reply
    reply_ms: int = 0
    reply_n: int = 0
    customer_wait_ms: int = 0
    handle_ms: int = 0
    transfers: int = 0
    overflows: int = 0
    ivr_abandoned: int = 0
    ended_at: int | None = None
    solved: bool = False  # ended by a resolution that was not "unresolved"
    contained: int = 0
    first_resolved_at: int | None = None
    reopens: int = 0
    outstanding: int = 1
    wrapping: list["Leg"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Leg:
    """One stint of a contact in a queue or with an agent."""

    contact: Contact
    number: int
    queue: str
    queued_at: int | None = None
    gone: bool = False  # has left the queue
    agent: int = 0
    ended_at: int = 0
    talk_ms: int = 0
    holds_ms: list[int] = field(default_factory=list)
    transferred_out: int = 0
    resolved: int = 0
