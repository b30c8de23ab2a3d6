"""Kinds of calls that the first recording has not: queue_log, AMI and both against what the driver knew.

Members that are Local channels (as FreePBX has them), calls that are picked up, forwarded, parked, redirected
while they wait, passed on twice, in a queue for less than a second. What a source has otherwise stands in the
table, with the reason.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
from support.call_table import told
from support.recorded_asterisk import MORE, ami, queue_log, truths
from support.telephone_truth import Stint, Truth

from adapters.kit.contract import by_owner
from schemas.events import Event

SOURCES = ("queue_log", "AMI", "both")
OFF_MS, ROUNDED_MS = (
    600,
    1_600,
)  # a machine that did much else: Asterisk told an answer up to half a second late
HELD_OFF_MS = 100
GROUP = "the member is a group of telephones: one that nobody picks up is no offer of the queue's"
LOCAL = "the member is a Local channel: his telephone's transfer is not logged"
# Counts that a source has otherwise: kind and count -> how many calls, and why.
OTHERWISE: dict[str, dict[tuple[str, str], tuple[int, str]]] = {
    "queue_log": {
        ("att_chain", "answers"): (2, "what follows an attended transfer is logged as another call"),
        ("group", "missed"): (1, GROUP),
        ("group_blind", "missed"): (1, GROUP),
        ("locn_att", "transfers"): (2, LOCAL),
        ("loco_att", "transfers"): (2, LOCAL),
        ("locn_att_agent", "transfers"): (1, LOCAL),
        ("locn_att_lonely", "transfers"): (1, LOCAL),
        ("locn_outside", "transfers"): (1, LOCAL),
        ("redirect_waiting_out", "abandoned"): (2, "AMI's Redirect of who waits is logged as ABANDON"),
    },
    "AMI": {("group", "missed"): (1, GROUP), ("group_blind", "missed"): (1, GROUP)},
    "both": {("group", "missed"): (1, GROUP), ("group_blind", "missed"): (1, GROUP)},
}
# Talk that queue_log has longer: until the caller hung up at last.
TO_THE_END = ("ami_park", "locn_att", "loco_att", "locn_att_agent", "locn_att_lonely", "locn_outside")
FOR_HIMSELF = {"Vertrieb Süd", None}
BY_FEATURE = ("atx_", "feat_")  # the PBX holds, the telephone does not know


@cache
def contacts(source: str) -> dict[str, list[Event]]:
    log, session = queue_log(MORE), ami(MORE)
    return by_owner({"queue_log": log, "AMI": session, "both": (*log, *session)}[source])


def stints_of(source: str, truth: Truth) -> tuple[Stint, ...]:
    """AMI shows the second conversation after an attended transfer too."""
    seen = source != "queue_log" and truth.inquiry and truth.kind != "locn_att_early"
    return (*truth.stints, *([truth.inquiry] if seen and truth.inquiry else []))


def counts_differ(source: str, truth: Truth) -> Iterator[str]:
    legs, missed = told(contacts(source), "asterisk", truth)
    pairs = {
        "answers": (len(stints_of(source, truth)), sum(leg.handled for leg in legs)),
        "transfers": (truth.transferred, any(leg.transferred_out for leg in legs)),
        "abandoned": (truth.abandoned, any(leg.abandoned for leg in legs)),
        "missed": (truth.not_answered, missed),
        "open": (0, sum(leg.ended_at is None for leg in legs)),
    }
    return (name for name, (known, said) in pairs.items() if known != said)


@pytest.mark.parametrize("source", SOURCES)
def test_counts_of_every_call_are_the_drivers(source: str) -> None:
    found = Counter((truth.kind, name) for truth in truths(MORE) for name in counts_differ(source, truth))
    assert found == {what: calls for what, (calls, _) in OTHERWISE[source].items()}


@pytest.mark.parametrize("source", SOURCES)
def test_talk_is_the_drivers_and_with_ami_so_are_holds(source: str) -> None:
    allowed = ROUNDED_MS if source == "queue_log" else OFF_MS
    for truth in truths(MORE):
        legs = [leg for leg in told(contacts(source), "asterisk", truth)[0] if leg.handled]
        stints = sorted(stints_of(source, truth), key=lambda stint: stint.answered_s)
        for leg, stint in zip(legs, stints, strict=truth.kind != "att_chain"):
            if source == "queue_log" and truth.kind in TO_THE_END:
                continue
            assert leg.talk_ms is not None
            talked_ms = (stint.over_s - stint.answered_s) * 1000
            assert abs(leg.talk_ms + leg.hold_ms - talked_ms) <= allowed, (truth.kind, truth.call)
            if source != "queue_log" and not truth.kind.startswith(BY_FEATURE):
                assert abs(leg.hold_ms - stint.hold_s * 1000) <= HELD_OFF_MS, (truth.kind, truth.call)


@pytest.mark.parametrize("source", ["AMI", "both"])
def test_every_other_contact_is_linked_to_a_call_or_an_agent_calling_for_himself(source: str) -> None:
    calls = {f"asterisk-{truth.call}" for truth in truths(MORE)}
    for name, events in contacts(source).items():
        kinds = {event.type for event in events}
        if name.startswith("asterisk-") and not kinds & {"contact_linked", "contact_withdrawn"}:
            assert name in calls or {getattr(event, "queue", None) for event in events} <= FOR_HIMSELF, name
