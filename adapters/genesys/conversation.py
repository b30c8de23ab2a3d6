"""A conversation: waits in queues and agents' parts, put together to legs.

A wait in a queue is a leg. The agent's part that belongs to it is of the agent who answered, and began when
the wait ended; an agent's part without a wait is a leg of its own.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.kit.journeys import Facts

Value = Mapping[str, Any]
TRANSFERS = {"TRANSFER": "cold", "CONSULT_TRANSFER": "warm", "CONFERENCE_TRANSFER": "warm"}


@dataclass(slots=True)
class Leg:
    """A wait, an agent's part, or both. `name` is its session; `taken` names the agent's part in ids."""

    name: str
    wait_start: int | None = None
    wait_end: Value | None = None
    agent: Value | None = None
    wrap: Value | None = None
    offers: list[Value] = field(default_factory=list)
    queue: str = ""
    taken: str = ""

    @property
    def user(self) -> str:
        """The agent who took it; "" where that is not known."""
        parts = (self.agent, self.wait_end if self.answered is not None else None)
        return next((str(each["user"]) for each in parts if each and each.get("user")), "")

    @property
    def begins(self) -> int:
        """When it began."""
        if self.wait_start is not None:
            return self.wait_start
        if self.wait_end is not None:
            return int(self.wait_end["at"])
        if self.agent is None and self.offers:
            return min(int(each["at"]) - int(each.get("alert_ms", 0)) for each in self.offers)
        return talk_start(self.agent) if self.agent else 0

    @property
    def answered(self) -> int | None:
        """When the agent took it."""
        if self.wait_end is not None and self.wait_end.get("outcome") == "ANSWERED":
            return int(self.wait_end["at"])
        return talk_start(self.agent) if self.agent else None


def talk_start(agent: Value) -> int:
    """When the agent began to talk."""
    if agent.get("answered"):
        return int(agent["answered"])
    return int(agent["at"]) - int(agent.get("talk_ms", 0)) - int(agent.get("hold_ms", 0))


def of_topic(facts: Facts, topic: str) -> list[Value]:
    """The facts of a topic in the order of their times."""
    found = [value for name, value in facts.items() if name.startswith(f"{topic}|")]
    return sorted(found, key=lambda value: (value["at"], str(value.get("session"))))


def waits(facts: Facts) -> list[Leg]:
    """The legs that are waits in a queue."""
    legs: dict[str, Leg] = {}
    for start in of_topic(facts, "acd.start"):
        name = start["session"]
        legs[name] = Leg(name, wait_start=start["at"], queue=start.get("queue", ""))
    for end in of_topic(facts, "acd.end"):
        leg = legs.setdefault(end["session"], Leg(end["session"], queue=end.get("queue", "")))
        leg.wait_end = end
        if leg.wait_start is None and "connected_ms" in end:
            leg.wait_start = end["at"] - end["connected_ms"]
    return sorted(legs.values(), key=lambda leg: (leg.begins, leg.name))


def agents(facts: Facts) -> list[Value]:
    """Agents' parts; of the sessions of one participant the one that came by a queue, else the longest."""
    by_participant: dict[str, list[Value]] = {}
    for part in of_topic(facts, "user.end"):
        key = part.get("participant") or part["session"]
        by_participant.setdefault(key, []).append(part)
    found: list[Value] = []
    for parts in by_participant.values():
        medias = {part.get("media") for part in parts}
        if len(medias) > 1:
            parts = [max(parts, key=lambda each: ("queue" in each, each.get("talk_ms", 0), each["session"]))]
        found += parts
    return sorted(found, key=lambda part: (talk_start(part), part["session"]))


def may_be(leg: Leg, part: Value) -> bool:
    """Can an agent's part have ended a wait, by the time and by who answered?"""
    if leg.agent is not None or leg.begins > talk_start(part) + 1_000:
        return False
    end = leg.wait_end or {}
    return end.get("outcome") in (None, "ANSWERED") and end.get("user") in (None, part.get("user"))


def wait_of(part: Value, legs: list[Leg]) -> Leg | None:
    """The wait that an agent's part ended: one of his queue if there is one, with the nearest end or begin.

    Who was called by an agent, not by a queue, has a wait only if the wait's end names him.
    """
    start = talk_start(part)
    found = [leg for leg in legs if may_be(leg, part)]
    if not part.get("queue") and part.get("direction") == "OUTBOUND":
        found = [leg for leg in found if (leg.wait_end or {}).get("user")]
    found = [leg for leg in found if leg.queue == part.get("queue")] or found
    nearest = {leg.name: abs((leg.wait_end["at"] if leg.wait_end else leg.begins) - start) for leg in found}
    return min(found, key=lambda leg: (nearest[leg.name], leg.name), default=None)


def offered_in(part: Value, legs: list[Leg]) -> Leg | None:
    """The wait during which an agent was rung who did not answer."""
    before = [leg for leg in legs if leg.queue == part.get("queue", "") and leg.begins <= part["at"]]
    return max(before, key=lambda leg: (leg.begins, leg.name), default=None)


def is_transfer(part: Value | None) -> bool:
    """Did the agent's part end by a transfer?"""
    return part is not None and part.get("disconnect", "") in TRANSFERS


def never_taken(rung: list[Value]) -> list[Leg]:
    """The leg of who was passed on to agents by name, and none of them answered."""
    last = sorted(rung, key=lambda part: (part["at"], part["session"]))[-1:]
    return [Leg(part["session"], offers=[part]) for part in last]


def legs_of(facts: Facts) -> list[Leg]:
    """All legs, in order."""
    legs, alone = waits(facts), []
    rung: list[Value] = []
    wraps = {value["session"]: value for value in of_topic(facts, "acw")}
    for part in agents(facts):
        if not part.get("talk_ms") and not part.get("answered"):
            leg = offered_in(part, legs)
            (rung if leg is None else leg.offers).append(part)
            continue
        leg = wait_of(part, legs)
        if leg is None:
            leg = Leg(part["session"], queue=part.get("queue", ""))
            alone.append(leg)
        leg.agent, leg.wrap = part, wraps.get(part["session"])
    ordered = sorted([*legs, *alone], key=lambda leg: (leg.begins, leg.name))
    if ordered and is_transfer(ordered[-1].agent):
        ordered += [leg for leg in never_taken(rung) if leg.begins >= ordered[-1].begins]
    times: Counter[str] = Counter()
    for leg in ordered:
        times[leg.user] += bool(leg.user)
        leg.taken = f"{leg.user}-{times[leg.user]}" if leg.user else leg.name
    return ordered
