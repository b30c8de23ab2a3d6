"""Channels that stand behind a member's own.

A member that is a Local channel (so FreePBX) has two halves: the queue talks to the first, and the second
calls a telephone, whose channel is the one that tells what the agent presses. So too where a telephone passes
its calls on (302). What such a telephone transfers is the second half, as if it were another caller.
"""

from adapters.asterisk_ami.ami import Ami
from adapters.asterisk_ami.blocks import Block

NESTED_MAX = 8  # Local channels that call each other


def member_channel(state: Ami, unique: str) -> str:
    """The member's channel that this one stands behind; itself where it is none such."""
    for _ in range(NESTED_MAX):
        if unique in state.state.channels or unique not in state.state.behind:
            break
        unique = state.state.behind[unique]
    return unique


def halves(state: Ami, block: Block, at_ms: int) -> None:
    """LocalBridge: the two halves of a Local channel."""
    one, two = block.get("LocalOneUniqueid", ""), block.get("LocalTwoUniqueid", "")
    if one and two:
        state.state.behind[two] = one


def joined(state: Ami, block: Block, at_ms: int) -> None:
    """LocalOptimizationBegin: the telephone takes the place of the Local channel; nobody has hung up."""
    one, two = block.get("LocalOneUniqueid", ""), block.get("LocalTwoUniqueid", "")
    behind = (unique for unique, nearer in state.state.behind.items() if nearer == one and unique != two)
    unique = block.get("SourceUniqueid") or next(behind, "")
    if unique and one in state.state.channels:
        state.state.channels[unique] = state.state.channels.pop(one)


def dialled(state: Ami, block: Block, at_ms: int) -> None:
    """DialBegin: by the second half of a Local channel, or because a member's telephone passed a call on."""
    by, unique = block.get("Uniqueid", ""), block.get("DestUniqueid", "")
    if offer := state.state.forwarded.pop(by, None):
        state.state.offers[unique] = offer
    if by in state.state.behind and unique:
        first = state.state.behind[unique] = member_channel(state, by)
        offer = state.state.offers.get(first)
        if offer:  # so that whom this telephone calls is asked by the member
            telephone = block.get("DestChannel", "").rpartition("-")[0]
            state.state.members.setdefault(telephone, offer.member)


def dial_ended(state: Ami, block: Block, at_ms: int) -> None:
    """DialEnd of an offer that the telephone passed on: it rings elsewhere, and is the same offer."""
    if block.get("Forward") and (offer := state.state.offers.pop(block.get("DestUniqueid", ""), None)):
        state.state.forwarded[block.get("Uniqueid", "")] = offer


def picked_up(state: Ami, block: Block, at_ms: int) -> None:
    """Pickup: somebody else takes the call that rings at a member; the AgentConnect of the offer follows."""
    state.state.offers.pop(block.get("TargetUniqueid", ""), None)
