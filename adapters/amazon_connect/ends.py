"""How a leg ended: by a transfer, without an answer, or as a conversation that is over."""

from dataclasses import dataclass, field
from typing import Any

from adapters.amazon_connect.chain import CALLBACK, EXTERNAL, OUTBOUND, Chain, Part

TRANSFERS = ("TRANSFER", "QUEUE_TRANSFER")
BY = {"CUSTOMER_DISCONNECT": "customer", "AGENT_DISCONNECT": "agent", "AGENT_HUNGUP": "agent"}
ON_HOLD = "CONNECTED_ONHOLD"


@dataclass(frozen=True, slots=True)
class End:
    """The event that ended a leg."""

    type: str
    at: int
    fields: dict[str, Any] = field(default_factory=dict)


def end_of(chain: Chain, leg: Part) -> End | None:
    """The end of a leg; None while it goes on."""
    answered, ended = leg.at("answered"), leg.at("ended")
    back = chain.after(leg.name, (CALLBACK,))
    if back is not None and answered is None and leg.text("method") != CALLBACK:
        return End("transferred", ended or back.begins, {"kind": "callback"})
    transferred = transfer(chain, leg)
    if transferred is not None:
        return transferred
    if ended is None:
        return None
    if answered is None:
        return unanswered(leg, ended)
    if leg.text("before_end").upper() == ON_HOLD and leg.text("reason_of_end") == "CUSTOMER_DISCONNECT":
        return End("abandoned", ended, {"place": "hold", "by": "customer"} | measures(leg))
    by = BY.get(leg.text("reason_of_end"), "system")
    return End(
        "resolved", ended, {"outcome": "unknown", "by": by, "reason": leg.said.get("topic")} | measures(leg)
    )


def transfer(chain: Chain, leg: Part) -> End | None:
    """The transfer that ended a leg. Who only asked somebody, and talked on after him, did not transfer."""
    answered, ended = leg.at("answered"), leg.at("ended")
    after = chain.after(leg.name, TRANSFERS)
    if after is not None and not left_before(after, ended):
        kind = "cold"
        if answered is None and (leg.said or after.text("method") == "QUEUE_TRANSFER"):
            kind = "queue_flow"
        elif ended is not None and after.at("answered") is not None and ended > after.said["answered"]:
            kind = "warm"
        fields = {"kind": kind, "to_queue": after.said.get("queue")} | (measures(leg) if answered else {})
        return End("transferred", ended or after.begins, fields)
    third = chain.after(leg.name, (EXTERNAL,))
    stayed = third is not None and not left_before(third, ended)
    if (
        answered is not None
        and ended is not None
        and (stayed or (after is None and leg.said.get("passed_on")))
    ):
        return End("transferred", ended, {"kind": "external"} | measures(leg))
    return None


def left_before(other: Part, ended: int | None) -> bool:
    """Was the other one gone when this one ended?"""
    gone = other.at("ended")
    return gone is not None and ended is not None and gone < ended


def unanswered(leg: Part, ended: int) -> End:
    """Nobody answered."""
    reason = leg.text("reason_of_end")
    by = "customer" if reason in ("", "CUSTOMER_DISCONNECT") else "system"
    if leg.text("method") in (*OUTBOUND, CALLBACK) or (leg.at("queued") is None and by == "system"):
        return End("resolved", ended, {"outcome": "unknown", "by": by})
    place = "ivr" if leg.at("queued") is None else "queue"
    return End("abandoned", ended, {"place": place, "by": by})


def measures(leg: Part) -> dict[str, Any]:
    """What Connect measured; what follows from exact times is left out."""
    found = dict(leg.said.get("measures") or {})
    if {"answered", "ended"} <= leg.exact:
        found.pop("talk_ms", None)
    if "wrapped" in leg.exact:
        found.pop("acw_ms", None)
    if leg.held:
        return {name: value for name, value in found.items() if not name.startswith("hold")}
    hold_ms = leg.said.get("hold_ms")
    return found if hold_ms is None else {"hold_ms": hold_ms} | found
