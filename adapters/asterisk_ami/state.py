"""What must be remembered of AMI beside the calls themselves; data alone."""

from dataclasses import dataclass, field


@dataclass
class Offer:
    """A member's telephone rings for a call."""

    call: str
    queue: str
    member: str
    since_ms: int


@dataclass
class Channel:
    """A member's channel in a conversation: the leg, whether he holds, and when he left the bridge."""

    call: str
    leg: int
    agent: str = ""
    held: bool = False
    holds: int = 0
    gone_ms: int | None = None
    moved: bool = False  # the customer was passed on to this conversation: no AgentComplete tells its end


@dataclass
class AmiState:
    """Offers and channels by unique id, members by interface, and what was asked of callers' channels."""

    offers: dict[str, Offer] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    hang_ups: set[str] = field(default_factory=set)
    left_ms: dict[str, int] = field(default_factory=dict)
    transfers: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    inquiries: dict[str, str] = field(
        default_factory=dict
    )  # an agent's call to a queue -> the customer's call
    behind: dict[str, str] = field(default_factory=dict)  # a channel -> one nearer to the member's own
    forwarded: dict[str, Offer] = field(default_factory=dict)  # a caller's channel -> the offer passed on
    uptime_s: int | None = None  # how long Asterisk has run, until a time is told
    pruned_ms: int = 0
