"""What the driver of recordings of real telephone systems knew of every call, as figures of Ringback.

The driver was caller and agent at once (SIP): it knows to the microsecond who picked up, held and hung up.
When the call entered the queue it does not know: that is put at `enters_after_s` from when it was taken.
"""

import json
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

QUEUES = frozenset(
    (
        "support",
        "billing",
        "vip",
        "night",
        "tiny",
        "announced",
        "autop",
        "poolq",
        "short",
        "backoffice",
        "6001",
        "lonely",
        "locn",
    )
)
TRANSFERS = ("refer_blind", "refer_attended", "ami_blind", "ami_redirect", "uuid_transfer")
IN_IVR = ("ivr_abandon", "noqueue", "redirect_waiting_out")
COMPLETES = "completes attended transfer"
BY_DIGITS = "blind"  # why digits were pressed: the PBX's own feature passes the caller on
# Where a caller is when no agent of a queue has him any more, and he is not passed on to a queue either.
ELSEWHERE = ("ami_park", "threeway")
OUTSIDE = "outside"  # a telephone that is no agent's
STILL_THERE_S = 0.1  # the agent's BYE and the caller's are one event, seen twice
ANNOUNCEMENT_S = 1.0  # an agent who hangs up while he hears it has not talked to the caller


@dataclass(frozen=True, slots=True)
class Stint:
    """An agent's part of a call: his name with the driver, from picking up until he left it, holds in it."""

    agent: str
    answered_s: float
    over_s: float
    hold_s: float
    holds: int


@dataclass(frozen=True, slots=True)
class Truth:
    """A call of the driver. `stints` are those of agents of a queue; `transferred`: passed on by an agent."""

    call: str
    kind: str
    number: str
    entered_s: float
    over_s: float
    by_customer: bool
    stints: tuple[Stint, ...]
    transferred: bool
    abandoned: bool  # the customer hung up while he waited in a queue, the first one or a later one
    not_answered: int  # offers to agents that came to nothing
    inquiry: Stint | None  # of the agent of a queue whom the first one asked, and passed the customer on to


def calls_of(path: Path, enters_after_s: float) -> Iterator[Truth]:
    """The calls of a truth.jsonl, packed by xz or not, whose channel the driver knew."""
    data = path.read_bytes()
    text = lzma.decompress(data) if path.suffix == ".xz" else data
    calls = map(json.loads, text.splitlines())
    return (truth(call, enters_after_s) for call in calls if call["uniqueid"])


def truth(call: dict[str, Any], enters_after_s: float) -> Truth:
    """The figures of a call."""
    events = as_seen_by_the_customer(call["events"])
    over = next((event for event in events if event["what"] == "caller_over"), events[-1])
    up = next((event["t"] for event in events if event["what"] == "caller_up"), events[0]["t"])
    left = (event["t"] for event in events if event["what"] == "caller_refer_blind")
    over_s = min(over.get("at", over["t"]), *left, float("inf"))  # passes the agent on, and is gone
    stints = tuple(stints_of(events, over_s, call["dialled"] == "announced"))
    alone = not stints or over_s - stints[-1].over_s > STILL_THERE_S
    offers = [event for event in events if came_to_nothing(event)]
    answers = [event for event in events if event["what"] == "answered" and reached_by_queue(events, event)]
    return Truth(
        call["uniqueid"],
        call["kind"],
        call["cid"],
        up + enters_after_s,
        over_s,
        over.get("by") == "caller",
        stints,
        any(event["what"] in TRANSFERS or event.get("why") in (COMPLETES, BY_DIGITS) for event in events),
        over.get("by") == "caller" and alone and waits(events, call["kind"]),
        sum(not event.get("consult") for event in offers) + len(answers) - len(stints),
        inquiry_of(events, over_s),
    )


def came_to_nothing(event: dict[str, Any]) -> bool:
    """An offer to an agent that nobody has answered: what another one picks up is answered."""
    ended = event["what"] in ("offer_cancelled", "offer_refused")
    return ended and event["agent"] != OUTSIDE and event.get("mode") != "picked up"


def inquiry_of(events: list[dict[str, Any]], over_s: float) -> Stint | None:
    """The conversation that began as the agent's inquiry, if the customer was passed on to it in a queue."""
    passed = [event for event in events if event["what"] == "refer_attended" and event["to"] in QUEUES]
    consults = [event for event in events if event.get("consult")]
    asked = [event for event in consults if event["what"] == "answered"]
    asked = [event for event in asked if passed and event["t"] < passed[-1]["t"]] or asked[:1]
    if not asked or not passed:
        return None
    since_s = asked[-1]["t"]
    ends = [
        event.get("at", event["t"])
        for event in consults
        if event["what"] in ("agent_leg_over", "refer_blind") and event["t"] > since_s
    ]
    return Stint(asked[-1]["agent"], since_s, min([*ends, over_s]), 0.0, 0)


def as_seen_by_the_customer(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The agent's inquiry becomes the customer's call once he has passed the customer on to it."""
    early = next((event["t"] for event in events if event.get("mode") == "early"), None)
    if early is None:
        return events
    return [{**event, "consult": False} if event["t"] > early else event for event in events]


def waits(events: list[dict[str, Any]], kind: str) -> bool:
    """Was the caller in a queue when he hung up?"""
    passed = [event for event in events if event["what"] in TRANSFERS]
    if any(event["what"] == "answered" and event.get("consult") for event in events) and passed:
        return False  # he talked to the agent whom the first one had asked
    if any(event["what"] in ELSEWHERE or event.get("why") in ELSEWHERE for event in events):
        return False
    return passed[-1]["to"] in QUEUES if passed else kind not in IN_IVR


def reached_by_queue(events: list[dict[str, Any]], answer: dict[str, Any]) -> bool:
    """Did the customer reach this agent through a queue, and not by an extension he was passed on to?"""
    if answer.get("consult"):
        return False
    moves = (*TRANSFERS, "ami_atx")
    passed = [event["to"] for event in events if event["t"] < answer["t"] and event["what"] in moves]
    return not passed or passed[-1] in QUEUES


def stints_of(events: list[dict[str, Any]], caller_over_s: float, announced: bool) -> Iterator[Stint]:
    """The conversations of agents whom the customer reached through a queue, in order."""
    for at, event in enumerate(events):
        if event["what"] == "answered" and reached_by_queue(events, event):
            found = stint(events, at, caller_over_s)
            if not announced or found.over_s - found.answered_s > ANNOUNCEMENT_S:
                yield found


def stint(events: list[dict[str, Any]], at: int, caller_over_s: float) -> Stint:
    """One conversation: until the agent hung up or passed the call on, or the caller hung up."""
    agent, leg, answered_s = events[at]["agent"], events[at]["leg"], events[at]["t"]
    over_s, hold_s, holds, held_s = caller_over_s, 0.0, 0, None
    for event in events[at + 1 :]:
        if event.get("agent") != agent or event.get("leg") != leg or event.get("consult"):
            continue
        if event["what"] == "hold":
            held_s, holds = event["t"], holds + 1
        elif event["what"] == "unhold" and held_s is not None:
            hold_s, held_s = hold_s + event["t"] - held_s, None
        elif event["what"] in TRANSFERS or event["what"] == "agent_leg_over":
            over_s = min(over_s, event.get("at", event["t"]))
            break
    if held_s is not None:
        hold_s += over_s - held_s
    return Stint(agent, answered_s, over_s, hold_s, holds)
