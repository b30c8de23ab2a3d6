"""AMI of a real Asterisk, alone and together with queue_log, against what the driver of its 481 calls knew.

Counts must be exact, and times to a twentieth of a second. What AMI cannot say stands in the tables.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from support.recorded_asterisk import SECRET, ami, queue_log, truths, unpacked
from support.telephone_truth import Stint, Truth

from adapters.asterisk_ami.file import AmiFile
from adapters.kit.check import lines_of, read_lines
from adapters.kit.contract import by_owner, events_of
from kpis.facts import LegFact
from kpis.fold.events import fold
from schemas.events import ContactEvent, ContactOffered, Event

OFF_MS = 60
# Counts that AMI has otherwise: kind and count -> how many calls of the kind, and why.
OTHERWISE = {
    ("pool", "answers"): (12, "agents of a pool are on the line all day: the driver sees no answer"),
    ("pool", "abandoned"): (10, "so that the driver takes who hangs up for one who waited"),
    ("short_abandon", "abandoned"): (1, "hung up before the queue took the call: no event at all"),
}
# Times further off: kind -> (what, by how much at most, why).
FURTHER_OFF_MS = {
    "announced": (("wait", "talk"), 1_250, "the conversation begins after the announcement to the agent"),
    "agentdump": (("wait", "talk"), 1_250, "the conversation begins after the announcement to the agent"),
    "att_queue": (("talk",), 600, "the transfer is done half a second after it was asked for"),
    "rna": (("wait", "talk"), 450, "one of 16: Asterisk took so long to answer the answer"),
    "ivr": (("wait",), 3_000, "when the menu let the caller go the driver does not know"),
    "short": (("wait",), 8_000, "it waited in two queues: the driver does not know since when in the second"),
}
BY_FEATURE = ("ami_atx", "ami_atx_queue")  # transfers by the PBX: it holds, the telephone does not know
SOURCES = ("ami", "both")


@cache
def contacts(source: str) -> dict[str, list[Event]]:
    return by_owner([*queue_log(), *ami()] if source == "both" else ami())


def events_of_call(source: str, truth: Truth) -> list[ContactEvent]:
    found = contacts(source).get(f"asterisk-{truth.call}", [])
    return [event for event in found if isinstance(event, ContactEvent)]


def legs_of(source: str, truth: Truth) -> tuple[LegFact, ...]:
    return fold(events_of_call(source, truth)).legs


def stints_of(truth: Truth) -> tuple[Stint, ...]:
    """AMI shows the second conversation after an attended transfer too."""
    return (*truth.stints, *([truth.inquiry] if truth.kind == "att_queue" and truth.inquiry else []))


def counts_differ(source: str, truth: Truth) -> Iterator[str]:
    legs = legs_of(source, truth)
    last: dict[str, ContactOffered] = {}
    for event in events_of_call(source, truth):
        known = last.get(event.event_id)
        if isinstance(event, ContactOffered) and (known is None or known.revision < event.revision):
            last[event.event_id] = event
    pairs = {
        "answers": (len(stints_of(truth)), sum(leg.handled for leg in legs)),
        "transfers": (truth.transferred, any(leg.transferred_out for leg in legs)),
        "abandoned": (truth.abandoned, any(leg.abandoned for leg in legs)),
        "missed": (truth.not_answered, sum(event.outcome != "answered" for event in last.values())),
        "open": (0, sum(leg.ended_at is None for leg in legs)),
    }
    return (name for name, (known, said) in pairs.items() if known != said)


@pytest.mark.parametrize("source", SOURCES)
def test_counts_of_every_call_are_the_drivers(source: str) -> None:
    found = Counter((truth.kind, name) for truth in truths() for name in counts_differ(source, truth))
    assert found == {what: calls for what, (calls, _) in OTHERWISE.items()}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", sorted({truth.kind for truth in truths()} - {"pool"}))
def test_waits_talk_and_holds_are_exact(source: str, kind: str) -> None:
    names, allowed, _ = FURTHER_OFF_MS.get(kind, ((), OFF_MS, ""))
    for truth in truths():
        legs = [leg for leg in legs_of(source, truth) if leg.handled]
        if truth.kind != kind:
            continue
        for leg, stint in zip(legs, stints_of(truth), strict=True):
            assert leg.talk_ms is not None
            with_holds = abs(leg.talk_ms + leg.hold_ms - (stint.over_s - stint.answered_s) * 1000)
            assert with_holds <= (allowed if "talk" in names else OFF_MS), (truth.call, with_holds)
            if kind not in BY_FEATURE and kind != "att_queue":
                assert abs(leg.hold_ms - stint.hold_s * 1000) <= OFF_MS, truth.call
        if legs and truth.stints and legs[0].queue_ms is not None:
            off = abs(legs[0].queue_ms - (truth.stints[0].answered_s - truth.entered_s) * 1000)
            assert off <= (allowed if "wait" in names else OFF_MS), (truth.call, "wait", off)


def test_holds_are_those_of_the_driver() -> None:
    held = {truth.call: [leg.hold_n for leg in legs_of("ami", truth) if leg.hold_n] for truth in truths()}
    for truth in truths():
        if truth.kind not in BY_FEATURE:
            assert held[truth.call] == [stint.holds for stint in truth.stints if stint.holds], truth.kind


def test_every_contact_is_a_call_of_the_driver_or_linked_to_one() -> None:
    """An inquiry of an agent says whose it is, or is withdrawn: volume counts no call twice."""
    calls = {f"asterisk-{truth.call}" for truth in truths()}
    for name, events in contacts("ami").items():
        if name.startswith("asterisk-") and name not in calls:
            kinds = {event.type for event in events}
            assert kinds & {"contact_linked", "contact_withdrawn"}, name


def test_queue_log_and_ami_number_legs_alike() -> None:
    """Where both tell an event, the ids are the same, and AMI's time is within a second of the log's."""
    log = {
        (event.contact_id, event.event_id, event.type): event.occurred_at
        for event in events_of(queue_log())
        if event.type in ("contact_queued", "contact_answered")
    }
    of_ami = {
        (event.contact_id, event.event_id, event.type): event.occurred_at
        for event in events_of(ami())
        if event.type in ("contact_queued", "contact_answered")
    }
    assert len(log.keys() & of_ami.keys()) > 950
    assert max(abs(log[key] - of_ami[key]) for key in log.keys() & of_ami.keys()) <= 1_050


def test_two_sessions_of_one_pbx_tell_nothing_twice(tmp_path: Path) -> None:
    """Blocks that come a second time, each beside the first, change nothing."""
    (path,) = unpacked(tmp_path, "ami.raw.xz")
    blocks: list[list[bytes]] = [[]]
    for line in lines_of(path):
        blocks[-1].append(line)
        if not line:
            blocks.append([])
    doubled = [line for block in blocks for line in (*block, *block)]
    again = by_owner([*read_lines(AmiFile(), "twice", doubled, SECRET)])
    once = contacts("ami")
    assert again.keys() == once.keys()
    for truth in truths():
        name = f"asterisk-{truth.call}"
        if name in once:
            of_contact = [event for event in again[name] if isinstance(event, ContactEvent)]
            assert fold(of_contact) == fold(events_of_call("ami", truth)), truth.kind
