"""Kinds of calls that the first recording has not: queue_log, AMI and both against what the driver knew.

Members that are Local channels (as FreePBX has them), calls that are picked up, forwarded, parked, redirected while
they wait, passed on twice, left in a second. What a source has otherwise stands in the table, with the reason.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
from support.call_table import told
from support.recorded_asterisk import MORE, ami, queue_log, truths
from support.telephone_truth import Stint, Truth

from adapters.kit.contract import by_owner, events_of
from kpis.fold.events import fold
from schemas.events import ContactEvent, Event

SOURCES = ("queue_log", "AMI", "both")
ROUNDED_MS, OFF_MS = 1_050, 80
# Counts that a source has otherwise: kind and count -> how many calls, and why.
OTHERWISE = {
    "queue_log": {},
    "AMI": {},
    "both": {},
}


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
