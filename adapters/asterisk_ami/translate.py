"""An event of AMI -> what queue_log would say of it, to the millisecond, and what it never says: holds.

The events of both have the same ids, and those of AMI a greater revision: read together, exact times win.
"""

from collections.abc import Callable

from adapters.app_queue.calls import TRANSFERS
from adapters.app_queue.log import CONTACT, end_leg
from adapters.app_queue.reading import PRUNE_EVERY_MS
from adapters.asterisk_ami.ami import Ami, call_of, leg_in, talks, unhold
from adapters.asterisk_ami.behind import dial_ended, dialled, halves, joined, member_channel, picked_up
from adapters.asterisk_ami.blocks import Block
from adapters.asterisk_ami.state import Channel, Offer
from adapters.asterisk_ami.transfers import attended, blind

GONE_BEFORE_MS = 500


def join(state: Ami, block: Block, at_ms: int) -> None:
    """QueueCallerJoin. A caller whose channel is a member's is an agent who asks somebody."""
    call, calls = call_of(state, block), state.log.state.calls
    flowed_on(state, call)
    agent = state.state.members.get(block.get("Channel", "").rpartition("-")[0], "")
    of = block.get("Linkedid", "") if block.get("Linkedid") != call else ""
    asks = call not in calls and bool(agent or of in calls)
    number = "" if asks else block.get("CallerIDNum", "")
    state.say(at_ms, call, block, "ENTERQUEUE", "", number, block.get("Position", ""))
    if not asks:
        return
    for other_id, other in calls.items():
        talking = any(leg.talks and leg.agent == agent for leg in other.legs)
        if other_id != call and (talking or other_id == of):
            state.state.inquiries[call] = other_id
            linked = {"kind": "consult", "to_contact_id": CONTACT.format(other_id)}
            state.log.tell(call, 1, "linked", "linked", at_ms, 0, **linked)
            state.events += state.log.take()
            return


def flowed_on(state: Ami, call_id: str) -> None:
    """A wait that the caller had left without an answer is over: he is somewhere else, or gone."""
    left_ms = state.state.left_ms.pop(call_id, None)
    call = state.log.state.calls.get(call_id)
    for leg in call.legs if call and left_ms is not None else ():
        if leg.waits and left_ms is not None and left_ms >= leg.entered_ms:
            flow = {"kind": "queue_flow"}
            end_leg(state.log, call_id, leg, "EXITWITHTIMEOUT", "transferred", left_ms, **flow)
    state.events += state.log.take()


def leave(state: Ami, block: Block, at_ms: int) -> None:
    """QueueCallerLeave: answered or not, later events tell."""
    state.state.left_ms[call_of(state, block)] = at_ms


def abandon(state: Ami, block: Block, at_ms: int) -> None:
    """QueueCallerAbandon: raised for time-outs too. Only one whose channel was hung up has hung up."""
    if block.get("Uniqueid", "") in state.state.hang_ups:
        params = (block.get("Position", ""), block.get("OriginalPosition", ""), block.get("HoldTime", ""))
        state.say(at_ms, call_of(state, block), block, "ABANDON", *params)


def hang_up_asked(state: Ami, block: Block, at_ms: int) -> None:
    """HangupRequest: the far end of a channel has hung up."""
    state.state.hang_ups.add(block.get("Uniqueid", ""))


def called(state: Ami, block: Block, at_ms: int) -> None:
    """AgentCalled: a member's telephone begins to ring."""
    state.state.members[block.get("Interface", "")] = block.get("MemberName", "")
    offer = Offer(call_of(state, block), block.get("Queue", ""), block.get("MemberName", ""), at_ms)
    state.state.offers[block.get("DestUniqueid", "")] = offer


def no_answer(state: Ami, block: Block, at_ms: int) -> None:
    """AgentRingNoAnswer."""
    state.state.offers.pop(block.get("DestUniqueid", ""), None)
    state.say(at_ms, call_of(state, block), block, "RINGNOANSWER", block.get("RingTime", ""))


def dump(state: Ami, block: Block, at_ms: int) -> None:
    """AgentDump: he hung up while the announcement was played to him, or the caller did."""
    state.state.offers.pop(block.get("DestUniqueid", ""), None)
    state.say(at_ms, call_of(state, block), block, "AGENTDUMP")


def connect(state: Ami, block: Block, at_ms: int) -> None:
    """AgentConnect: from now on the member's channel is that of the leg."""
    unique, call_id = block.get("DestUniqueid", ""), call_of(state, block)
    state.state.offers.pop(unique, None)
    params = (block.get("HoldTime", ""), unique, block.get("RingTime", ""))
    state.say(at_ms, call_id, block, "CONNECT", *params)
    call = state.log.state.calls.get(call_id)
    leg = next((leg for leg in reversed(call.legs) if leg.connected_ms == at_ms), None) if call else None
    if unique and leg and unique not in state.state.channels:
        state.state.channels[unique] = Channel(call_id, leg.number, leg.agent)


def channel_of(state: Ami, block: Block) -> tuple[str, Channel | None]:
    """The member's channel whose conversation is over. One that hung up first is not named any more."""
    unique = member_channel(state, block.get("DestUniqueid", ""))
    if unique in state.state.channels:
        return unique, state.state.channels[unique]
    call_id, agent = call_of(state, block), state.log.options.name(block.get("MemberName", ""))
    found: list[tuple[str, Channel | None]] = [
        (known, channel)
        for known, channel in state.state.channels.items()
        if channel.agent == agent and (channel.call == call_id or (not call_id and talks(state, channel)))
    ]
    still = [each for each in found if each[1] and talks(state, each[1])]
    return (still or found or [(unique, None)])[-1]


def complete(state: Ami, block: Block, at_ms: int) -> None:
    """AgentComplete: late where the call went on without the agent, so what his channel did comes first."""
    unique, channel = channel_of(state, block)
    if channel and channel.moved:
        return
    call_id = channel.call if channel else call_of(state, block)
    leg = leg_in(state, channel) if channel else None
    if not call_id or (leg and leg.end_line):
        return  # told before
    times = (block.get("HoldTime", ""), block.get("TalkTime", ""))
    line = state.state.transfers.pop(call_id, "") or state.state.transfers.pop(unique, "")
    if line in TRANSFERS or (block.get("Reason") == "transfer" and not line):
        unhold(state, channel, at_ms)
        state.say(at_ms, call_id, block, line or "BLINDTRANSFER", "", "", *times)
        return
    if channel and channel.gone_ms is not None and channel.gone_ms < at_ms - GONE_BEFORE_MS:
        at_ms = channel.gone_ms
    unhold(state, channel, at_ms)
    line = line or ("COMPLETECALLER" if block.get("Reason") == "caller" else "COMPLETEAGENT")
    state.say(at_ms, call_id, block, line, *times)


def hold(state: Ami, block: Block, at_ms: int) -> None:
    """Hold: pressed by the channel it names. The caller's own hold is none of the agent's."""
    channel = state.state.channels.get(member_channel(state, block.get("Uniqueid", "")))
    if channel and not channel.held and talks(state, channel):
        channel.held, channel.holds = True, channel.holds + 1
        state.tell(channel, f"held-{channel.holds}", "held", at_ms, hold_no=channel.holds)


def resume(state: Ami, block: Block, at_ms: int) -> None:
    """Unhold."""
    unhold(state, state.state.channels.get(member_channel(state, block.get("Uniqueid", ""))), at_ms)


def bridge_left(state: Ami, block: Block, at_ms: int) -> None:
    """BridgeLeave of a member's channel: the conversation is over for him, unless he comes back."""
    channel = state.state.channels.get(block.get("Uniqueid", ""))
    if channel:
        channel.gone_ms = at_ms


def bridge_entered(state: Ami, block: Block, at_ms: int) -> None:
    """BridgeEnter: he is back."""
    channel = state.state.channels.get(block.get("Uniqueid", ""))
    if channel:
        channel.gone_ms = None


def hung_up(state: Ami, block: Block, at_ms: int) -> None:
    """Hangup: a channel is gone, a member's or a caller's."""
    unique = block.get("Uniqueid", "")
    offer = state.state.offers.pop(unique, None)
    if offer:
        named = {"Queue": offer.queue, "MemberName": offer.member}
        state.say(at_ms, offer.call, named, "RINGCANCELED", str(at_ms - offer.since_ms))
    channel = state.state.channels.get(unique)
    if channel:
        unhold(state, channel, at_ms)
        end_moved(state, channel, at_ms, "agent")
        channel.gone_ms = at_ms if channel.gone_ms is None else channel.gone_ms
    if unique in state.log.state.calls:
        caller_gone(state, unique, at_ms)
    state.state.hang_ups.discard(unique)
    state.state.behind.pop(unique, None)
    state.state.forwarded.pop(unique, None)
    state.state.left_ms.pop(unique, None)
    prune(state, at_ms)


def prune(state: Ami, at_ms: int) -> None:
    """Forget what belongs to calls that are forgotten."""
    if at_ms - state.state.pruned_ms < PRUNE_EVERY_MS:
        return
    own, calls = state.state, state.log.state.calls
    own.pruned_ms = at_ms
    own.channels = {key: channel for key, channel in own.channels.items() if channel.call in calls}
    own.transfers = {key: line for key, line in own.transfers.items() if key in own.channels or key in calls}
    own.moved = {key: call for key, call in own.moved.items() if call in calls}
    own.inquiries = {key: call for key, call in own.inquiries.items() if call in calls}
    own.offers = {key: offer for key, offer in own.offers.items() if offer.call in calls}
    nearer = own.channels.keys() | own.offers.keys() | own.behind.keys()
    own.behind = {key: unique for key, unique in own.behind.items() if unique in nearer}


def end_moved(state: Ami, channel: Channel, at_ms: int, by: str) -> None:
    """The end of a conversation that no AgentComplete tells."""
    leg = leg_in(state, channel)
    if channel.moved and leg and leg.end is None:
        end_leg(state.log, channel.call, leg, "HANGUP", "resolved", at_ms, by=by, outcome="unknown")
        state.events += state.log.take()


def caller_gone(state: Ami, call_id: str, at_ms: int) -> None:
    """The caller's channel is gone: a wait that he had left has flowed on, what was moved to him ends."""
    flowed_on(state, call_id)
    for channel in state.state.channels.values():
        if channel.call == call_id:
            end_moved(state, channel, at_ms, "customer")
    state.events += state.log.take()


def member(state: Ami, block: Block, at_ms: int) -> None:
    """QueueMemberAdded, QueueMemberRemoved, QueueMemberPause."""
    state.state.members[block.get("Interface", "")] = block.get("MemberName", "")
    paused = block.get("Paused") == "1"
    if block["Event"] == "QueueMemberPause":
        state.say(at_ms, "NONE", block, "PAUSE" if paused else "UNPAUSE", block.get("PausedReason", ""))
    elif block["Event"] == "QueueMemberAdded":
        state.say(at_ms, "NONE", block, "ADDMEMBER", "PAUSED" if paused else "")
    else:
        state.say(at_ms, "NONE", block, "REMOVEMEMBER")


def shutdown(state: Ami, block: Block, at_ms: int) -> None:
    """Shutdown: all calls end."""
    state.say(at_ms, "NONE", block, "QUEUESTART")


HANDLERS: dict[str, Callable[[Ami, Block, int], None]] = {
    "QueueCallerJoin": join,
    "QueueCallerLeave": leave,
    "QueueCallerAbandon": abandon,
    "HangupRequest": hang_up_asked,
    "LocalBridge": halves,
    "LocalOptimizationBegin": joined,
    "DialBegin": dialled,
    "DialEnd": dial_ended,
    "Pickup": picked_up,
    "AgentCalled": called,
    "AgentRingNoAnswer": no_answer,
    "AgentDump": dump,
    "AgentConnect": connect,
    "AgentComplete": complete,
    "Hold": hold,
    "Unhold": resume,
    "BlindTransfer": blind,
    "AttendedTransfer": attended,
    "BridgeLeave": bridge_left,
    "BridgeEnter": bridge_entered,
    "Hangup": hung_up,
    "QueueMemberAdded": member,
    "QueueMemberRemoved": member,
    "QueueMemberPause": member,
    "Shutdown": shutdown,
}
