"""Transfers by AMI: which conversation the customer is in after one.

The event of a transfer comes before the AgentComplete that ends the leg, or sometimes just after it.
"""

from adapters.app_queue.calls import TRANSFERS
from adapters.app_queue.log import SAME_MS, end_leg
from adapters.app_queue.state import Leg
from adapters.asterisk_ami.ami import Ami, leg_in, unhold
from adapters.asterisk_ami.behind import member_channel
from adapters.asterisk_ami.blocks import Block
from adapters.asterisk_ami.state import Channel


def blind(state: Ami, block: Block, at_ms: int) -> None:
    """BlindTransfer; the AgentComplete after it ends the leg. Not where the member is a Local channel, which
    goes on with whoever the caller was passed on to, or where the caller had been passed on to him."""
    if block.get("Result") != "Success":
        return
    told = block.get("TransfererUniqueid", "")
    if told in state.log.state.calls:
        state.state.transfers[told] = "COMPLETECALLER"  # the caller left, and passed the agent on to somebody
        return
    unique = member_channel(state, told)
    state.state.transfers[unique] = "BLINDTRANSFER"
    channel = state.state.channels.get(unique)
    if channel:
        send_on(state, block, channel, at_ms)
        if channel.moved or unique != told:
            pass_on(state, channel, at_ms, None, "BLINDTRANSFER")


def send_on(state: Ami, block: Block, channel: Channel, at_ms: int) -> None:
    """Who is passed on stands for the caller, if he is another: the half of a Local channel between them.

    queue_log may have him as a call of its own.
    """
    passed = block.get("TransfereeUniqueid", "")
    if passed and passed != channel.call:
        state.state.moved[passed] = channel.call
        state.tell_merged(passed, channel.call, at_ms)


def attended(state: Ami, block: Block, at_ms: int) -> None:
    """AttendedTransfer. A conference (DestType Threeway) is none: all three stay.

    Where the agent's inquiry has been answered, its conversation is the customer's from now on.
    """
    told = block.get("OrigTransfererUniqueid", "")
    first = member_channel(state, told)
    channel = state.state.channels.get(first)
    if block.get("DestType") == "Threeway":
        unhold(state, channel, at_ms)
    if block.get("Result") != "Success" or block.get("DestType") in ("Threeway", "Fail"):
        return
    state.state.transfers[first] = "ATTENDEDTRANSFER"
    if channel is None:
        return
    leg = leg_in(state, channel)
    send_on(state, block, channel, at_ms)
    if leg and (leg.end or first != told):
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


def pass_on(
    state: Ami, channel: Channel, at_ms: int, to_queue: str | None, line: str = "ATTENDEDTRANSFER"
) -> None:
    """End a leg by the transfer; sometimes AgentComplete has said before that the agent hung up."""
    leg = leg_in(state, channel)
    if leg is None or (leg.ended_ms is not None and at_ms - leg.ended_ms > SAME_MS):
        return
    if leg.end and leg.end["type_"] == "transferred" and (to_queue is None or "to_queue" in leg.end):
        return
    unhold(state, channel, at_ms)
    told = {"kind": TRANSFERS[line], "to_queue": to_queue}
    end_leg(state.log, channel.call, leg, line, "transferred", at_ms, **told)
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
    state.tell_merged(asked, to.call, at_ms)
    told = {"agent": leg.agent or None, "queue": leg.queue}
    state.log.tell(to.call, number, f"{number}-queued", "queued", leg.entered_ms, 0, queue=leg.queue)
    state.log.tell(to.call, number, f"{number}-answered", "answered", leg.connected_ms, 0, **told)
    state.events += state.log.take()
    state.state.channels[unique] = Channel(to.call, number, leg.agent, moved=True)
