"""Real events of FreeSWITCH's mod_callcenter against what the driver of its 234 calls knew.

Counts must be exact; what the events cannot say stands in a table with the reason. Times are those of timers
that run ten times a second.
"""

import lzma
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from support.telephone_truth import Truth, calls_of

from adapters.freeswitch.file import EventFile
from adapters.kit.contract import by_owner
from adapters.kit.lines import open_lines
from adapters.kit.outcomes import DeadLetter, LineOutcome
from kpis.facts import LegFact
from kpis.fold.events import fold
from schemas.events import ContactEvent, ContactOffered, Event

RECORDED = Path(__file__).parents[1] / "data" / "freeswitch"
SECRET = b"samples"
OFF_MS = 150
HOLD_OFF_MS = 350  # CHANNEL_UNHOLD comes up to a third of a second after the telephone's own
# Counts that the events have otherwise: kind and count -> how many calls of the kind, and why.
OTHERWISE = {
    ("att_agent", "transfers"): (11, "mod_callcenter tells of no transfer to a telephone"),
    ("att_queue", "transfers"): (13, "mod_callcenter tells of no attended transfer"),
    ("blind_agent", "transfers"): (4, "mod_callcenter tells of no transfer to a telephone"),
    ("timeout", "transfers"): (9, "a second queue after the agent's hanging up looks like a transfer to it"),
}


@cache
def read_all(folder: Path) -> tuple[LineOutcome, ...]:
    path = folder / "events.jsonl"
    path.write_bytes(lzma.decompress((RECORDED / "events.jsonl.xz").read_bytes()))
    with open_lines(path) as file:
        return tuple(EventFile()(file, SECRET))


@pytest.fixture(scope="module")
def contacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Event]]:
    outcomes = read_all(tmp_path_factory.mktemp("freeswitch"))
    assert not any(isinstance(outcome, DeadLetter) for outcome in outcomes)
    return by_owner(outcomes)


@cache
def truths() -> tuple[Truth, ...]:
    return tuple(calls_of(RECORDED / "truth.jsonl.xz", 0.0))


def events_of_call(contacts: dict[str, list[Event]], truth: Truth) -> list[ContactEvent]:
    found = contacts[f"freeswitch-{truth.call}"]
    return [event for event in found if isinstance(event, ContactEvent)]


def legs_of(contacts: dict[str, list[Event]], truth: Truth) -> tuple[LegFact, ...]:
    return fold(events_of_call(contacts, truth)).legs


def counts_differ(contacts: dict[str, list[Event]], truth: Truth) -> Iterator[str]:
    legs = legs_of(contacts, truth)
    events = events_of_call(contacts, truth)
    last = {event.event_id: event for event in events if isinstance(event, ContactOffered)}
    pairs = {
        "answers": (len(truth.stints), sum(leg.handled for leg in legs)),
        "transfers": (truth.transferred, any(leg.transferred_out for leg in legs)),
        "abandoned": (truth.abandoned, any(leg.abandoned for leg in legs)),
        "missed": (truth.not_answered, sum(event.outcome != "answered" for event in last.values())),
    }
    return (name for name, (known, said) in pairs.items() if known != said)


def test_counts_of_every_call_are_the_drivers(contacts: dict[str, list[Event]]) -> None:
    found = Counter((truth.kind, name) for truth in truths() for name in counts_differ(contacts, truth))
    assert found == {what: calls for what, (calls, _) in OTHERWISE.items()}


def test_volume(contacts: dict[str, list[Event]]) -> None:
    """One contact for each call, for the nine that called again, and for thirteen inquiries of agents."""
    calls = [name for name in contacts if name.startswith("freeswitch-")]
    assert (len(truths()), len(calls)) == (234, 234 + 9 + 13)
    again = [events for name, events in contacts.items() if getattr(events[0], "parent_contact_id", None)]
    assert len(again) == 9


@pytest.mark.parametrize("kind", sorted({truth.kind for truth in truths()}))
def test_times_are_those_of_the_driver(contacts: dict[str, list[Event]], kind: str) -> None:
    for truth in truths():
        legs = [leg for leg in legs_of(contacts, truth) if leg.handled]
        if truth.kind != kind:
            continue
        for leg, stint in zip(legs, truth.stints, strict=True):
            assert leg.talk_ms is not None
            slack = HOLD_OFF_MS if stint.holds else OFF_MS
            assert abs(leg.talk_ms - (stint.over_s - stint.answered_s - stint.hold_s) * 1000) <= slack, (
                truth.call
            )
            assert leg.hold_n == stint.holds
            assert abs(leg.hold_ms - stint.hold_s * 1000) <= HOLD_OFF_MS, truth.call
        if legs and legs[0].leg == 1:  # of a second queue the driver does not know since when
            assert legs[0].queue_ms is not None
            assert abs(legs[0].queue_ms - (truth.stints[0].answered_s - truth.entered_s) * 1000) <= OFF_MS
