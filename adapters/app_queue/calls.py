"""What a line about a call makes known of its contact."""

from collections.abc import Callable
from typing import Any

from adapters.app_queue.facts import Fact
from adapters.app_queue.legs import add_leg, last_talking, last_waiting, reached, waiting_inquiry
from adapters.app_queue.log import CONTACT, SAME_MS, Log, amend_end, end_leg, start
from adapters.app_queue.state import Agent, Call, Leg

Handler = Callable[[Log, Fact], None]
# Ends without an agent that are no hanging-up: the call goes on in the dialplan.
FLOWS = ("EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY", "WITHDRAW")
TRANSFERS = {"BLINDTRANSFER": "cold", "ATTENDEDTRANSFER": "warm", "TRANSFER": "cold"}


def enter(log: Log, fact: Fact) -> None:
    """ENTERQUEUE|url|number|position|name: the call waits in a queue."""
    call = log.state.calls.get(fact.call)
    if call and any(again(log, fact, leg) for leg in call.legs):
        return
    if call is None:
        number = fact.param(1)
        call = start(log, fact.call, fact.time_ms, customer_key=log.key(number))
        inquiry(log, fact, log.options.aliases.get(number.strip(), ""))
    add_leg(log, fact, call, fact.time_ms)


def again(log: Log, fact: Fact, leg: Leg) -> bool:
    """Is it the line that began this leg? A call can leave a queue and enter it anew in one second."""
    same = leg.queue == fact.queue and leg.entered_ms == fact.time_ms
    return same and (leg.waits or leg.connected_ms is not None or fact.time_ms < log.state.last_ms)


def inquiry(log: Log, fact: Fact, agent: str) -> None:
    """The caller is an agent who has a customer on the line: the call belongs to that contact."""
    for other_id, other in log.state.calls.items() if agent else ():
        if other_id != fact.call and any(leg.talks and leg.agent == agent for leg in other.legs):
            linked: dict[str, Any] = {"kind": "consult", "to_contact_id": CONTACT.format(other_id)}
            log.tell(fact.call, 1, "linked", "linked", fact.time_ms, **linked)
            return


def offer(log: Log, fact: Fact, leg: Leg, outcome: str, ring_ms: int | None) -> None:
    """An agent's telephone has rung, and that is over. The same line again is the same offer."""
    seen = (fact.member, fact.event, fact.time_ms)
    revision = 0
    if seen in leg.offers:
        revision = int(outcome == "withdrawn" and fact.event == "AGENTDUMP")
        if not revision:
            return
    else:
        leg.offers.append(seen)
    name = f"{leg.number}-offered-{leg.offers.index(seen) + 1}"
    fields: dict[str, Any] = {"agent": log.options.name(fact.member), "outcome": outcome, "ring_ms": ring_ms}
    log.tell(fact.call, leg.number, name, "offered", fact.time_ms, revision, **fields)


def connect(log: Log, fact: Fact) -> None:
    """CONNECT|seconds waited|channel of the agent|seconds of ringing: an agent has answered."""
    call, agent = log.state.calls.get(fact.call), log.options.name(fact.member)
    again = (fact.queue, agent, fact.time_ms)
    if call and any((leg.queue, leg.agent, leg.connected_ms) == again for leg in call.legs):
        return
    wait_ms = fact.ms(0)
    leg = reached(log, fact, None if wait_ms is None else fact.time_ms - wait_ms)
    leg.connected_ms, leg.agent, leg.channel = fact.time_ms, agent, fact.param(1)
    if leg.channel:
        log.state.channels[leg.channel] = fact.call
    if agent:
        log.state.agents.setdefault(agent, Agent())
        offer(log, fact, leg, "answered", fact.ms(2))
    fields: dict[str, Any] = {"agent": agent or None, "queue": fact.queue or None, "wait_ms": wait_ms}
    log.tell(fact.call, leg.number, f"{leg.number}-answered", "answered", fact.time_ms, **fields)


def conversation(log: Log, fact: Fact, wait_ms: int | None, talk_ms: int | None) -> tuple[str, Leg] | None:
    """The call and leg that a line ends. None: it has ended already, and this line adds nothing."""
    agent = log.options.name(fact.member)
    call = log.state.calls.get(fact.call)
    if leg := last_talking(call, fact.queue, agent):
        return fact.call, leg
    since_ms = fact.time_ms - (talk_ms or 0)
    for other_id, other in log.state.calls.items():  # a transfer that is logged under the other call's id
        leg = last_talking(other, fact.queue, agent)
        if leg and leg.connected_ms is not None and abs(leg.connected_ms - since_ms) <= SAME_MS:
            return other_id, leg
    if call and (leg := ended_just_now(call, fact, agent)):
        return (fact.call, leg) if fact.event in TRANSFERS and leg.end_line not in TRANSFERS else None
    told = Fact(since_ms, fact.call, fact.queue, fact.member, "CONNECT", (str((wait_ms or 0) // 1000),))
    connect(log, told)  # the log begins in the middle of the call
    leg = last_talking(log.state.calls[fact.call], fact.queue, agent)
    return (fact.call, leg) if leg else None


def ended_just_now(call: Call, fact: Fact, agent: str) -> Leg | None:
    """The leg that another line, or this one before, has ended in this second."""
    for leg in reversed(call.legs):
        if (leg.queue, leg.agent) == (fact.queue, agent) and leg.end_line and leg.ended_ms is not None:
            return leg if fact.time_ms - leg.ended_ms <= SAME_MS or leg.left_ms is not None else None
    return None


def complete(log: Log, fact: Fact) -> None:
    """COMPLETECALLER or COMPLETEAGENT|seconds waited|seconds talked|position: one of the two hung up."""
    wait_ms, talk_ms = fact.ms(0), fact.ms(1)
    found = conversation(log, fact, wait_ms, talk_ms)
    if found is None:
        return
    call_id, leg = found
    call = log.state.calls[call_id]
    measured = {"wait_ms": wait_ms, "talk_ms": talk_ms}
    if asked := waiting_inquiry(log, fact.call, call_id):
        passed = {"kind": "warm", "to_queue": asked.queue}  # logged under the id of the agent's inquiry
        end_leg(log, call_id, leg, "ATTENDEDTRANSFER", "transferred", fact.time_ms, **passed, **measured)
        return
    goes_on = fact.event == "COMPLETEAGENT" and leg.number < len(call.legs) and call.legs[leg.number].waits
    if leg.left_ms is not None and not (goes_on and fact.time_ms - leg.left_ms <= SAME_MS):
        leg.end_line = fact.event  # told when it was left; this is only when the caller hung up at last
        return
    by = "customer" if fact.event == "COMPLETECALLER" else "agent"
    fields = {"by": by, "outcome": call.outcome or "unknown", "reason": call.reason}
    end_leg(log, call_id, leg, fact.event, "resolved", fact.time_ms, **fields, **measured)


def transfer(log: Log, fact: Fact) -> None:
    """BLINDTRANSFER|extension|context|waited|talked|position; ATTENDEDTRANSFER|form|a name or two|..."""
    shift = int(fact.event == "ATTENDEDTRANSFER" and fact.param(0) == "LINK")
    wait_ms, talk_ms = fact.ms(2 + shift), fact.ms(3 + shift)
    found = conversation(log, fact, wait_ms, talk_ms)
    if found is None:
        return
    call_id, leg = found
    time_ms = fact.time_ms if leg.left_ms is None else min(leg.left_ms, fact.time_ms)
    to_queue = leg.end.get("to_queue") if leg.end else None
    fields = {"kind": TRANSFERS[fact.event], "wait_ms": wait_ms, "talk_ms": talk_ms, "to_queue": to_queue}
    end_leg(log, call_id, leg, fact.event, "transferred", time_ms, **fields)


def unanswered(log: Log, fact: Fact) -> None:
    """ABANDON, EXIT..., WITHDRAW, SYSCOMPAT: the wait is over without an agent."""
    call = log.state.calls.get(fact.call)
    if call and not last_waiting(call, fact.queue) and wait_ended(call, fact):
        return
    wait_ms = fact.ms(3 if fact.event == "EXITWITHKEY" else 2)
    leg = reached(log, fact, None if wait_ms is None else fact.time_ms - wait_ms)
    if fact.event in FLOWS:
        flow = {"kind": "queue_flow", "wait_ms": wait_ms}
        end_leg(log, fact.call, leg, fact.event, "transferred", fact.time_ms, **flow)
        return
    rang = leg.dumped_ms is not None and fact.time_ms - leg.dumped_ms <= SAME_MS
    place = "ring" if fact.member or rang else "queue"
    by = "system" if fact.event == "SYSCOMPAT" else "customer"
    end_leg(log, fact.call, leg, fact.event, "abandoned", fact.time_ms, place=place, by=by, wait_ms=wait_ms)
    if rang and leg.dumped_ms is not None:
        dumped = [seen for seen in leg.offers if seen[1:] == ("AGENTDUMP", leg.dumped_ms)]
        for member, line, time_ms in dumped:
            told = Fact(time_ms, fact.call, fact.queue, member, line, ())
            offer(log, told, leg, "withdrawn", None)  # the caller hung up during the announcement


def wait_ended(call: Call, fact: Fact) -> Leg | None:
    """The leg that this very line has ended before."""
    again = (fact.queue, fact.event, fact.time_ms)
    return next((leg for leg in call.legs if (leg.queue, leg.end_line, leg.ended_ms) == again), None)


def rang(log: Log, fact: Fact) -> None:
    """RINGNOANSWER, RINGCANCELED|ms, AGENTDUMP: an offer that came to nothing."""
    call = log.state.calls.get(fact.call)
    if call is None or not call.legs or not fact.member:
        return
    waiting = last_waiting(call, fact.queue)
    leg = waiting or next((leg for leg in reversed(call.legs) if leg.queue == fact.queue), call.legs[-1])
    outcome = {"RINGNOANSWER": "missed", "RINGCANCELED": "withdrawn", "AGENTDUMP": "refused"}[fact.event]
    if fact.event == "AGENTDUMP":
        leg.dumped_ms = fact.time_ms
    offer(log, fact, leg, outcome, fact.whole(0))


def queue_start(log: Log, fact: Fact) -> None:
    """QUEUESTART: Asterisk was started, so no call of before is there any more. They end at this time."""
    for call_id, call in log.state.calls.items():
        for leg in call.legs:
            if leg.end is not None:
                continue
            if leg.connected_ms is not None:
                fields = {"by": "system", "outcome": "unknown"}
                end_leg(log, call_id, leg, fact.event, "resolved", fact.time_ms, **fields)
            else:
                place = "ring" if leg.dumped_ms is not None else "queue"
                fields = {"place": place, "by": "system"}
                end_leg(log, call_id, leg, fact.event, "abandoned", fact.time_ms, **fields)
    log.state.calls.clear()


def callback_asked(log: Log, fact: Fact) -> None:
    """CALLBACKREQUEST, written by the dialplan: who left the queue wants to be called back."""
    call = log.state.calls.get(fact.call)
    if call and call.legs and call.legs[-1].end_line in FLOWS:
        amend_end(log, fact.call, call.legs[-1], kind="callback")


HANDLERS: dict[str, Handler] = {
    "ENTERQUEUE": enter,
    "CONNECT": connect,
    "COMPLETECALLER": complete,
    "COMPLETEAGENT": complete,
    **dict.fromkeys(TRANSFERS, transfer),
    **dict.fromkeys((*FLOWS, "ABANDON", "SYSCOMPAT"), unanswered),
    **dict.fromkeys(("RINGNOANSWER", "RINGCANCELED", "AGENTDUMP"), rang),
    "QUEUESTART": queue_start,
    "CALLBACKREQUEST": callback_asked,
}
