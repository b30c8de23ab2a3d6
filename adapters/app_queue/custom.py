"""Lines that are not Asterisk's own: of a dialplan (QueueLog()), of Wazo, VICIdial or QueueMetrics."""

from collections.abc import Callable
from typing import Any

from adapters.app_queue.facts import Fact
from adapters.app_queue.legs import add_leg
from adapters.app_queue.log import CONTACT, Log, amend_end, end_leg, restart, start
from adapters.app_queue.state import Leg
from adapters.kit.outcomes import InvalidInput

# What Queue() says in QUEUESTATUS, and Wazo in lines of its own, of a call that no queue took.
REJECTIONS = {
    "FULL": "full",
    "JOINEMPTY": "empty",
    "JOINUNAVAIL": "empty",
    "CLOSED": "closed",
    "DIVERT_CA_RATIO": "other",
    "DIVERT_WAITTIME": "other",
}
OUTCOMES = ("resolved", "unresolved", "unknown")
SURVEYS = ("csat", "nps", "ces", "aes", "fcr")
CSAT_MAX = 5
IGNORED = frozenset(
    ("PENALTY", "RINGINUSE", "CONFIGRELOAD", "WRAPUPSTART", "PAUSEREASON", "DID", "INFO", "LEAVEEMPTY")
)


def rejected(log: Log, fact: Fact) -> None:
    """QSTATUS|FULL and the like, or FULL, JOINEMPTY, CLOSED themselves: no queue took the call."""
    cause = REJECTIONS.get(fact.param(0) if fact.event == "QSTATUS" else fact.event)
    if cause is None:
        return  # the queue had taken it, and lines of its own have told how it ended
    if fact.call not in log.state.calls:
        start(log, fact.call, fact.time_ms)
    queue: dict[str, Any] = {"queue": fact.queue or None}
    leg = len(log.state.calls[fact.call].legs) + 1
    log.tell(fact.call, leg, f"{leg}-rejected", "rejected", fact.time_ms, cause=cause, **queue)


def callback_of(log: Log, fact: Fact) -> None:
    """CALLBACKOF|call id: this call gives back the one who had asked for it."""
    call = log.state.calls.get(fact.call)
    if call and fact.param(0):
        fields = {"direction": "outbound", "callback_of": CONTACT.format(fact.param(0))}
        restart(log, fact.call, call, **fields)


def disposition(log: Log, fact: Fact) -> None:
    """DISPOSITION|reason|outcome, or VICIdial's CALLSTATUS|status: before or after the end of the call."""
    call = log.state.calls.get(fact.call)
    if call is None:
        return
    call.reason = fact.param(0).strip() or call.reason
    if fact.event == "DISPOSITION" and fact.param(1).strip().casefold() in OUTCOMES:
        call.outcome = fact.param(1).strip().casefold()
    for leg in reversed(call.legs):
        if leg.end and leg.end["type_"] == "resolved":
            known = {"reason": call.reason, "outcome": call.outcome or leg.end.get("outcome", "unknown")}
            amend_end(log, fact.call, leg, **known)
            return


def survey(log: Log, fact: Fact) -> None:
    """SURVEY|kind|score|greatest score, or SURVEY|score of 1 to 5. An empty score is no answer."""
    kind, score, most = (
        (fact.param(0), fact.param(1), fact.whole(2))
        if len(fact.params) > 1
        else ("csat", fact.param(0), None)
    )
    if not score.strip():
        return
    if kind not in SURVEYS or not score.strip().isdecimal():
        raise InvalidInput("bad_survey", f"expected SURVEY|kind|score|greatest, kinds {', '.join(SURVEYS)}")
    least = 0 if kind in ("nps", "fcr") else 1
    greatest = most or {"nps": 10, "fcr": 1}.get(kind, CSAT_MAX)
    scale = {"score": int(score), "scale_min": least, "scale_max": greatest}
    leg = max(len(log.state.calls[fact.call].legs), 1) if fact.call in log.state.calls else 1
    log.tell(fact.call, leg, f"survey-{kind}", "surveyed", fact.time_ms, kind=kind, **scale)


def call_out(log: Log, fact: Fact) -> None:
    """CALLOUTBOUND|number: an agent calls somebody; CONNECT and COMPLETE follow as for a call of a queue."""
    if fact.call in log.state.calls:
        return
    number = log.key(fact.param(0))
    call = start(log, fact.call, fact.time_ms, direction="outbound", customer_key=number)
    add_leg(log, fact, call, fact.time_ms, told=False)


def called_out(log: Log, fact: Fact) -> None:
    """OUTCALL|status|seconds talked|...: written when an outbound call is over."""
    if fact.call in log.state.calls:
        return
    talk_ms = fact.ms(1) or 0
    began_ms = fact.time_ms - talk_ms
    call = start(log, fact.call, began_ms, direction="outbound")
    leg = Leg(1, fact.queue, began_ms)
    call.legs.append(leg)
    if fact.param(0) != "ANSWER":
        end_leg(log, fact.call, leg, fact.event, "abandoned", fact.time_ms, place="ring", by="system")
        return
    agent = log.options.name(fact.member)
    leg.connected_ms, leg.agent = began_ms, agent
    log.tell(fact.call, 1, "1-answered", "answered", began_ms, agent=agent or None)
    end_leg(log, fact.call, leg, fact.event, "resolved", fact.time_ms, by="agent", talk_ms=talk_ms)


HANDLERS: dict[str, Callable[[Log, Fact], None]] = {
    **dict.fromkeys(("QSTATUS", *REJECTIONS), rejected),
    "CALLBACKOF": callback_of,
    "DISPOSITION": disposition,
    "CALLSTATUS": disposition,
    "SURVEY": survey,
    "CALLOUTBOUND": call_out,
    "OUTCALL": called_out,
}
