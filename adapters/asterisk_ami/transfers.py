"""Transfers by AMI: which conversation the customer is in after one.

The event of a transfer comes before the AgentComplete that ends the leg, or sometimes just after it.
"""

from adapters.app_queue.log import CONTACT, SAME_MS, end_leg
from adapters.app_queue.state import Leg
from adapters.asterisk_ami.ami import Ami, leg_in, unhold
from adapters.asterisk_ami.blocks import Block
from adapters.asterisk_ami.state import Channel


def blind(state: Ami, block: Block, at_ms: int) -> None:
    """BlindTransfer, by the member; the AgentComplete after it ends the leg."""
    if block.get("Result") == "Success":
        state.state.transfers[block.get("TransfererUniqueid", "")] = "BLINDTRANSFER"


def attended(state: Ami, block: Block, at_ms: int) -> None:
    """AttendedTransfer. A conference (DestType Threeway) is none: all three stay.

    Where the agent's inquiry has been answered, its conversation is the customer's from now on.
    """
    if block.get("Result") != "Success" or block.get("DestType") in ("Threeway", "Fail"):
        return
    first = block.get("OrigTransfererUniqueid", "")
    state.state.transfers[first] = "ATTENDEDTRANSFER"
    channel = state.state.channels.get(first)
    if channel is None:
        return
    leg = leg_in(state, channel)
    if leg and leg.end:
        pass_on(state, channel, at_ms, None)
    asked = {block.get("SecondTransfererUniqueid", "")}
    asked |= {call for call, of in state.state.inquiries.items() if of == channel.call}
    for unique, other in state.state.channels.items():
        if other.call in asked and other.call != channel.call and goes_on(state, other, at_ms):
            move(state, block, unique, other, channel, at_ms)
            return


def goes_on(state: Ami, channel: Channel, at_ms: int) -> bool:
    """Has the leg not ended, but with the agent who had called? Of linked bridges that is told first."""
    leg = leg_in(state, channel)
    if leg is None or leg.end is None or leg.ended_ms is None:
        return leg is not None
    return leg.end_line == "COMPLETECALLER" and at_ms - leg.ended_ms <= SAME_MS


def pass_on(state: Ami, channel: Channel, at_ms: int, to_queue: str | None) -> None:
    """End a leg by the transfer; sometimes AgentComplete has said before that the agent hung up."""
    leg = leg_in(state, channel)
    if leg is None or (leg.ended_ms is not None and at_ms - leg.ended_ms > SAME_MS):
        return
    if leg.end and leg.end["type_"] == "transferred" and (to_queue is None or "to_queue" in leg.end):
        return
    unhold(state, channel, at_ms)
    told = {"kind": "warm", "to_queue": to_queue}
    end_leg(state.log, channel.call, leg, "ATTENDEDTRANSFER", "transferred", at_ms, **told)
    state.events += state.log.take()


def move(state: Ami, block: Block, unique: str, other: Channel, to: Channel, at_ms: int) -> None:
    """The conversation of an inquiry becomes a leg of the customer's call."""
    asked, leg = other.call, leg_in(state, other)
    if leg is None or leg.connected_ms is None or to.call not in state.log.state.calls:
        return
    pass_on(state, to, at_ms, leg.queue)
    call = state.log.state.calls[to.call]
    moved = Leg(len(call.legs) + 1, leg.queue, leg.entered_ms, leg.connected_ms, leg.agent)
    call.legs.append(moved)
    del state.log.state.calls[asked]
    state.state.moved[asked] = to.call
    number = moved.number
    merged = {"cause": "merged", "merged_into": CONTACT.format(to.call)}
    state.log.tell(asked, 1, "withdrawn", "withdrawn", at_ms, 0, **merged)
    told = {"agent": leg.agent or None, "queue": leg.queue}
    state.log.tell(to.call, number, f"{number}-queued", "queued", leg.entered_ms, 0, queue=leg.queue)
    state.log.tell(to.call, number, f"{number}-answered", "answered", leg.connected_ms, 0, **told)
    state.events += state.log.take()
    state.state.channels[unique] = Channel(to.call, number, leg.agent, moved=True)
