"""What one PBX's AMI has told, and the channels of members in its conversations."""

from dataclasses import dataclass, field

from adapters.app_queue.facts import Fact
from adapters.app_queue.log import CONTACT, Log
from adapters.app_queue.reading import read_fact
from adapters.app_queue.state import Leg
from adapters.asterisk_ami.blocks import Block
from adapters.asterisk_ami.state import AmiState, Channel
from schemas.events import Event

SOURCE = "asterisk_ami"
REVISION = 1_000  # queue_log corrects itself a few times at most


@dataclass
class Ami:
    """The log that AMI tells, and what is remembered beside it."""

    log: Log
    state: AmiState = field(default_factory=AmiState)
    events: list[Event] = field(default_factory=list)

    def say(self, at_ms: int, call: str, block: Block, event: str, *params: str) -> None:
        """Read a line as queue_log would have it."""
        member = block.get("MemberName", "")
        told = read_fact(self.log, Fact(at_ms, call, block.get("Queue", ""), member, event, params))
        if not isinstance(told, str):
            self.events += told

    def tell(self, channel: Channel, name: str, type_: str, at_ms: int, **more: int) -> None:
        """An event of the leg that a member's channel is in."""
        self.log.tell(channel.call, channel.leg, f"{channel.leg}-{name}", type_, at_ms, 0, **more)
        self.events += self.log.take()

    def tell_merged(self, call: str, into: str, at_ms: int) -> None:
        """A call that was no contact of its own: it is part of another."""
        merged = {"cause": "merged", "merged_into": CONTACT.format(into)}
        self.log.tell(call, 1, "withdrawn", "withdrawn", at_ms, 0, **merged)
        self.events += self.log.take()


def ami(secret: bytes) -> Ami:
    """An empty one."""
    return Ami(Log(secret, source=SOURCE, revision=REVISION, exact=True))


def call_of(state: Ami, block: Block) -> str:
    """The id of the call that an event is about; after an attended transfer that of the customer's."""
    unique = block.get("Uniqueid", "")
    return state.state.moved.get(unique, unique)


def leg_in(state: Ami, channel: Channel) -> Leg | None:
    """The leg that a member's channel is in."""
    call = state.log.state.calls.get(channel.call)
    return next((leg for leg in call.legs if leg.number == channel.leg), None) if call else None


def talks(state: Ami, channel: Channel) -> bool:
    """Has the leg not ended?"""
    leg = leg_in(state, channel)
    return leg is not None and leg.end is None


def unhold(state: Ami, channel: Channel | None, at_ms: int) -> None:
    """The caller is back, or gone: many holds never get an Unhold."""
    if channel and channel.held:
        channel.held = False
        state.tell(channel, f"resumed-{channel.holds}", "resumed", at_ms, hold_no=channel.holds)
