"""Repeat contacts: the index that is kept change by change equals the judgement of all at once."""

import random
from dataclasses import replace

import pytest

from kpis.facts import FcrFact
from kpis.fcr.customer_contacts import CustomerContacts, judge
from kpis.fcr.visit import Visit
from kpis.rules import FcrRules
from kpis.tallies.fcr import fcr_contribution, zero
from kpis.tallies.windows import Window
from schemas.time_units import DAY_MS

START_MS = 1_767_571_200_000
VARIANTS = [
    FcrRules(
        match_reason=reason,
        cross_channel=channel,
        begin=begin,
        evidence=evidence,
        overlapping=overlapping,
        anchors=anchors,
    )  # type: ignore[arg-type]
    for reason, anchors in ((True, "handled"), (False, "handled"), (True, "closed"))
    for channel in (True, False)
    for begin in ("started", "entered")
    for evidence in ("any", "handled")
    for overlapping in (True, False)
]
# With the gaps that the random instants stand on and beside.
VARIANTS += [
    replace(VARIANTS[-number], min_gap_ms=gap, begin="started")
    for number in (1, 2)
    for gap in (1, 1000, DAY_MS, DAY_MS + 1, 2 * DAY_MS)
]


def random_visit(rng: random.Random, contact_id: str) -> Visit:
    """A contact of one customer: few instants, so that they meet, and every limit of the windows."""
    started_at = START_MS + rng.randrange(6) * DAY_MS + rng.choice((0, 0, 1, 1000))
    ended_at = started_at + rng.choice((0, 1, 1000, DAY_MS, DAY_MS - 1, DAY_MS + 1, 3 * DAY_MS, 7 * DAY_MS))
    callback_of = f"c{rng.randrange(9)}" if rng.random() < 0.25 else None
    return Visit(
        customer_key="k",
        contact_id=contact_id,
        channel=rng.choice(("voice", "chat")),
        queue=rng.choice(("A", "")),
        agent=rng.choice(("ann", "")),
        team="t",
        reason=rng.choice(("billing", "")),
        started_at=started_at,
        entered_at=started_at + rng.choice((0, 0, 1, DAY_MS)),
        ended_at=rng.choice((ended_at, ended_at, None)),
        handled=rng.choice((1, 1, 0)),
        failed=rng.choice((0, 0, 1)),
        level1_resolvable=rng.choice((1, 0)),
        transfers=rng.choice((0, 2)),
        countable=int(callback_of is None and rng.random() < 0.85),
        wants_callback=rng.choice((1, 0)),
        callback_of=callback_of,
    )


def as_map(facts: list[FcrFact]) -> dict[str, FcrFact]:
    return {fact.contact_id: fact for fact in facts}


@pytest.mark.parametrize("rules", VARIANTS, ids=str)
def test_index_is_judgement(rules: FcrRules) -> None:
    """Contacts come, change and leave in any order; after each step the facts are those of `judge`, and the
    changes told lead from the facts before to the facts after."""
    for seed in range(20):
        rng = random.Random(seed)
        index, known = CustomerContacts(rules), dict[str, Visit]()
        facts: dict[str, FcrFact] = {}
        for _ in range(40):
            contact_id = f"c{rng.randrange(9)}"
            visit = random_visit(rng, contact_id) if rng.random() < 0.8 else None
            if visit is None:
                known.pop(contact_id, None)
            else:
                known[contact_id] = visit
            for name, (before, after) in index.put(contact_id, visit).items():
                assert facts.get(name) == before != after
                if after is None:
                    del facts[name]
                else:
                    facts[name] = after
            expected = as_map(judge(known.values(), rules))
            assert as_map(index.facts()) == expected == facts
            assert len(index) == len(known)


def test_contributions_move_exactly() -> None:
    """Tallies moved by every change are those of the facts at the end, none below zero."""
    for seed in range(40):
        rng, rules = random.Random(seed), FcrRules()
        index = CustomerContacts(rules)
        totals: dict[Window, list[int]] = {}
        for _ in range(30):
            contact_id = f"c{rng.randrange(9)}"
            changes = index.put(contact_id, random_visit(rng, contact_id) if rng.random() < 0.8 else None)
            for before, after in changes.values():
                for sign, fact in ((-1, before), (1, after)):
                    for window, tally in (fcr_contribution(fact, rules) if fact else {}).items():
                        row = totals.setdefault(window, list(zero(rules)))
                        row[:] = [old + sign * moved for old, moved in zip(row, tally, strict=True)]
        expected: dict[Window, list[int]] = {}
        for fact in index.facts():
            for window, tally in fcr_contribution(fact, rules).items():
                row = expected.setdefault(window, list(zero(rules)))
                row[:] = [old + moved for old, moved in zip(row, tally, strict=True)]
        assert {window: row for window, row in totals.items() if any(row)} == {
            window: row for window, row in expected.items() if any(row)
        }
