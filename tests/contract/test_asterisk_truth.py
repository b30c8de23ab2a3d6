"""A real Asterisk's queue_log against what the driver of its calls knew: 481 calls of 35 kinds.

Counts must be exact and times within the second that the log rounds to. Where the log cannot say it, a kind
of call stands in a table below with the reason; what it says instead is held to as well.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
from support.recorded_asterisk import SECRET, queue_log, truths
from support.telephone_truth import Truth

from adapters.kit.contract import by_owner, events_of
from kpis.facts import LegFact
from kpis.fold.events import fold
from schemas.customer_key import customer_key
from schemas.events import ContactEvent, ContactOffered, Event

ROUNDED_MS = 1000
# Counts that the log has otherwise: kind and count -> how many calls of the kind, and why.
OTHERWISE = {
    ("pool", "answers"): (12, "agents of a pool are on the line all day: the driver sees no answer"),
    ("pool", "abandoned"): (10, "so that the driver takes who hangs up for one who waited"),
    ("ami_atx_queue", "answers"): (8, "the second agent is logged under the id of the inquiry"),
    ("ami_atx_queue", "transfers"): (2, "Asterisk logged COMPLETEAGENT for an attended transfer"),
    ("ami_atx", "transfers"): (1, "Asterisk logged COMPLETEAGENT for an attended transfer"),
    ("short_abandon", "abandoned"): (1, "hung up before the queue took the call: no line at all"),
}
# Times further off than the rounding: kind -> (what, by how much at most, why).
FURTHER_OFF_MS = {
    "announced": (("wait", "talk"), 2_200, "CONNECT is written after the announcement to the agent"),
    "agentdump": (("wait", "talk"), 2_200, "CONNECT is written after the announcement to the agent"),
    "att_queue": (("talk",), 1_600, "the transfer is done half a second after it was asked for"),
    "ami_hangup": (("talk",), 4_000, "the call goes on to a survey before its end is logged"),
    "ivr": (("wait",), 3_000, "when the menu let the caller go the driver does not know"),
    "short": (("wait",), 8_000, "it waited in two queues: the log has the wait in the second"),
}


@cache
def contacts() -> dict[str, list[Event]]:
    return by_owner(queue_log())


def events_of_call(truth: Truth) -> list[ContactEvent]:
    return [
        event for event in contacts().get(f"asterisk-{truth.call}", []) if isinstance(event, ContactEvent)
    ]


def legs_of(truth: Truth) -> tuple[LegFact, ...]:
    return fold(events_of_call(truth)).legs


def missed(truth: Truth) -> int:
    last = {event.event_id: event for event in events_of_call(truth) if isinstance(event, ContactOffered)}
    return sum(event.outcome != "answered" for event in last.values())


def counts_differ(truth: Truth) -> Iterator[str]:
    """The names of the counts that the log has otherwise than the driver."""
    legs = legs_of(truth)
    pairs = {
        "answers": (len(truth.stints), sum(leg.handled for leg in legs)),
        "transfers": (truth.transferred, any(leg.transferred_out for leg in legs)),
        "abandoned": (truth.abandoned, any(leg.abandoned for leg in legs)),
        "missed": (truth.not_answered, missed(truth)),
    }
    return (name for name, (known, said) in pairs.items() if known != said)


def test_counts_of_every_call_are_the_drivers() -> None:
    found = Counter((truth.kind, name) for truth in truths() for name in counts_differ(truth))
    assert found == {what: calls for what, (calls, _) in OTHERWISE.items()}


def test_volume_and_offered() -> None:
    """Each call that a queue took is one contact; of the others the log knows those its dialplan writes."""
    unseen = Counter(truth.kind for truth in truths() if not events_of_call(truth))
    assert unseen == {"ivr_abandon": 8, "noqueue": 4, "short_abandon": 1}
    offered = sum(fold(events_of_call(truth)).contact.offered for truth in truths() if events_of_call(truth))  # type: ignore[union-attr]
    rejected = sum(
        any(event.type == "contact_rejected" for event in events_of_call(truth)) for truth in truths()
    )
    assert (offered, rejected, len(truths())) == (481 - 13 - rejected, 9, 481)


@pytest.mark.parametrize("kind", sorted({truth.kind for truth in truths()}))
def test_waits_and_talk_are_within_the_second(kind: str) -> None:
    names, allowed, _ = FURTHER_OFF_MS.get(kind, ((), ROUNDED_MS, ""))
    for truth in truths():
        legs = [leg for leg in legs_of(truth) if leg.handled]
        if truth.kind != kind or kind == "pool":
            continue
        for leg, stint in zip(legs, truth.stints, strict=kind != "ami_atx_queue"):
            assert leg.talk_ms is not None
            off = abs(leg.talk_ms - (stint.over_s - stint.answered_s) * 1000)
            assert off <= (allowed if "talk" in names else ROUNDED_MS), (truth.call, "talk", off)
        if legs and truth.stints and legs[0].queue_ms is not None:
            off = abs(legs[0].queue_ms - (truth.stints[0].answered_s - truth.entered_s) * 1000)
            assert off <= (allowed if "wait" in names else ROUNDED_MS + 50), (truth.call, "wait", off)


def test_customers_are_those_who_called() -> None:
    for truth in truths():
        keys = {getattr(event, "customer_key", None) for event in events_of_call(truth)} - {None}
        assert keys <= {customer_key(truth.number, SECRET)}, truth.call


def test_inquiries_that_became_the_customers_call_are_withdrawn() -> None:
    """The agent's call to a queue that the customer is passed on to while it waits is no contact any more."""
    withdrawn = [event for event in events_of(queue_log()) if event.type == "contact_withdrawn"]
    merged = {getattr(event, "merged_into", "") for event in withdrawn}
    early = {f"asterisk-{truth.call}" for truth in truths() if truth.kind == "att_queue_early"}
    assert len(merged) == len(withdrawn) == 7
    assert merged < early


def test_after_contact_work_ends_with_the_pause() -> None:
    wrapped = [event for event in events_of(queue_log()) if event.type == "contact_wrapped"]
    assert len(wrapped) == 22
