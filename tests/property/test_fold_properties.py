"""What must hold for every contact, however its events are muddled: determinism, additivity, identities."""

import dataclasses
from collections import Counter
from random import Random

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from support.fastavro_bytes import by_fastavro
from support.notation import BASE_MS, read_events
from support.strategies import EACH_TYPE, NEAR, RULES, any_event, contacts, moments, orderly

from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import quotient, total
from kpis.durations import duration_keys, possible_durations
from kpis.facts import Facts
from kpis.fold.events import fold, unique
from kpis.fold.numbering import possible_legs
from kpis.rules import DEFAULT_RULES
from kpis.tallies.moves import add_to, change
from kpis.tallies.windows import (
    INDEX,
    MEASURES,
    ZERO,
    Contribution,
    Tally,
    Window,
    add,
    additions,
    contribution,
)
from schemas.avro_schemas import current
from schemas.codec import HEADER_BYTES, avro_fields, decode, encode
from schemas.events import MODELS, ContactEvent

KPIS = every_kpi(DEFAULT_RULES)
ANY = contacts() | orderly()
RATIOS = [kpi for kpi in KPIS.values() if kpi.unit == "ratio"]


def merged(parts: list[Contribution]) -> Contribution:
    """Windows of several contributions added up, without windows of nothing but zeros."""
    sums: dict[Window, Tally] = {}
    for part in parts:
        for window, tally in part.items():
            sums[window] = add(sums.get(window, ZERO), tally)
    return {window: tally for window, tally in sums.items() if any(tally)}


def tallies(facts: Facts) -> Contribution:
    return contribution(facts, RULES)


@given(ANY, st.randoms(use_true_random=False))
def test_order_and_duplicates_do_not_matter(events: list[ContactEvent], random: Random) -> None:
    muddle = [*events, *random.choices(events, k=len(events))]
    random.shuffle(muddle)
    assert fold(muddle, RULES) == fold(events, RULES)


@given(ANY, st.randoms(use_true_random=False))
def test_rows_are_among_those_that_any_of_the_events_may_give(
    events: list[ContactEvent], random: Random
) -> None:
    """What is deleted when all is counted anew: a leg may have had another number, or have been none."""
    legs = fold([one for one in events if random.random() < 0.7], RULES).legs
    assert {leg.leg for leg in legs} <= {
        number for may_be in possible_legs(events).values() for number in may_be
    }
    assert duration_keys(legs) <= possible_durations(events)


@given(contacts(same_ids=True), st.randoms(use_true_random=False))
def test_one_of_several_with_the_same_id_wins_in_any_order(
    events: list[ContactEvent], random: Random
) -> None:
    muddle = [*events, *events]
    random.shuffle(muddle)
    winners = {one.event_id: one for one in unique(muddle)}
    assert winners == {one.event_id: one for one in unique(events)}
    for one in events:
        best = winners[one.event_id]
        assert (one.revision, encode(one)) <= (best.revision, encode(best))
    assert fold(muddle, RULES) == fold(events, RULES) == fold(winners.values(), RULES)
    event(f"{len(events) - len(winners)} losers")


@given(st.lists(ANY, min_size=2, max_size=5), st.data())
def test_tallies_of_a_split_add_up_to_the_whole(many: list[list[ContactEvent]], data: st.DataObject) -> None:
    parts = [tallies(fold(events, RULES)) for events in many]
    side = data.draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)))
    left = merged([part for part, goes_left in zip(parts, side, strict=True) if goes_left])
    right = merged([part for part, goes_left in zip(parts, side, strict=True) if not goes_left])
    assert merged([left, right]) == merged([right, left]) == merged(parts)


@given(contacts(same_ids=False) | contacts(same_ids=True) | orderly(), st.data())
def test_prefix_and_rest_is_the_whole(events: list[ContactEvent], data: st.DataObject) -> None:
    order = data.draw(st.permutations(events))
    start = data.draw(st.integers(0, len(order)))
    known = list(order[:start])
    before = additions(fold(known, RULES), RULES)
    windows = {window: list(tally) for window, tally in tallies(fold(known, RULES)).items()}
    for arrival in order[start:]:
        known.append(arrival)
        now = additions(fold(known, RULES), RULES)
        for window, step in change(before, now).items():
            assert all(step.values())
            add_to(windows.setdefault(window, list(ZERO)), step)
        before = now
    assert {w: tuple(row) for w, row in windows.items() if any(row)} == tallies(fold(events, RULES))


@given(ANY)
def test_identities_of_facts(events: list[ContactEvent]) -> None:
    facts = fold(events, RULES)
    for leg in facts.legs:
        assert leg.offered == leg.answered + leg.abandoned + leg.flow_out + leg.waiting
        assert leg.answered == leg.offered * leg.handled
        assert leg.transferred_out <= leg.handled
        assert leg.hold_abandon <= leg.handled
        assert not (leg.ivr_abandoned and (leg.offered or leg.handled))
        assert (leg.handle_ms is None) == (leg.talk_ms is None)
        if leg.handle_ms is not None:
            assert leg.handle_ms == (leg.talk_ms or 0) + leg.hold_ms + leg.acw_ms
        assert (leg.handled_at is not None) == bool(leg.handled and leg.ended_at is not None)
        for name in ("queue_ms", "talk_ms", "hold_ms", "hold_n", "hold_max_ms", "acw_ms", "handle_ms"):
            assert (getattr(leg, name) or 0) >= 0, name
    contact = facts.contact
    if contact is not None:
        assert contact.legs == len(facts.legs)
        assert contact.handled == int(any(leg.handled for leg in facts.legs))
        assert set(contact.flags) >= {flag for leg in facts.legs for flag in leg.flags}
        for times in (contact.first_resolution_ms, contact.full_resolution_ms):
            assert times is None or times >= 0
    event("handled" if any(leg.handled for leg in facts.legs) else "nobody")


@given(st.lists(ANY, min_size=1, max_size=4))
def test_identities_and_ranges_of_windows(many: list[list[ContactEvent]]) -> None:
    parts = [tallies(fold(events, RULES)) for events in many]
    windows = merged(parts)
    handle = Counter[str]()
    for tally in (*windows.values(), *merged([{Window(0, "", ""): t} for t in windows.values()]).values()):
        sums = dict(zip(MEASURES, tally, strict=True))
        assert all(number >= 0 for number in tally)
        assert sums["offered"] == (sums["answered"] + sums["abandoned"] + sums["flow_out"] + sums["waiting"])
        for kpi in RATIOS:
            value = quotient(total(kpi.num, sums), total(kpi.den, sums))
            assert total(kpi.den, sums) >= 0
            assert value is None or 0 <= value <= 1, kpi.id
    for events in many:
        known = [leg for leg in fold(events, RULES).legs if leg.handle_ms is not None and leg.handled_at]
        handle.update(
            handle_ms=sum(leg.handle_ms or 0 for leg in known),
            parts_ms=sum((leg.talk_ms or 0) + leg.hold_ms + leg.acw_ms for leg in known),
            talk_ms=sum(leg.talk_ms or 0 for leg in known),
            acw_ms=sum(leg.acw_ms for leg in known),
        )
    assert handle["handle_ms"] == handle["parts_ms"]
    for name in ("handle_ms", "talk_ms", "acw_ms"):
        assert sum(tally[INDEX[name]] for tally in windows.values()) == handle[name]


def test_ivr_abandonment_rate_is_a_share() -> None:
    kpi = KPIS["ivr_abandonment_rate"]
    lines = ("s[ivr], ab[ivr]@9", "s[direct], ab[ivr]@9")
    windows = merged([tallies(fold(read_events(line), RULES)) for line in lines])
    sums = {name: sum(tally[INDEX[name]] for tally in windows.values()) for name in MEASURES}
    assert (quotient(total(kpi.num, sums), total(kpi.den, sums)) or 0) <= 1


@pytest.mark.parametrize("kind", sorted(MODELS))
@EACH_TYPE
@given(data=st.data())
def test_round_trip_of_every_type(kind: str, data: st.DataObject) -> None:
    one = data.draw(any_event(kind))
    encoded = encode(one)
    again = decode(encoded)
    assert again == one
    assert type(again) is type(one)
    assert encoded == encode(again)
    assert encoded[HEADER_BYTES:] == by_fastavro(current()[kind], avro_fields(one))


@given(ANY)
def test_as_of_the_end_of_time_is_as_of_never(events: list[ContactEvent]) -> None:
    assert fold(events, RULES, as_of=2**62) == fold(events, RULES)


@given(ANY, moments | st.sampled_from(NEAR).map(lambda near: BASE_MS - 300_000 + near))
def test_as_of_sees_earlier_events_only(events: list[ContactEvent], as_of: int) -> None:
    facts = fold(events, RULES, as_of)
    earlier = [one for one in events if one.occurred_at <= as_of]
    expected = fold(earlier, RULES)
    ahead = any(one.occurred_at > as_of + RULES.future_tolerance_ms for one in events)
    if expected.contact is not None and ahead:
        flags = tuple(sorted({*expected.contact.flags, "FUTURE"}))
        expected = dataclasses.replace(expected, contact=dataclasses.replace(expected.contact, flags=flags))
    assert facts == expected
    event("FUTURE" if ahead else "near")


@given(contacts(same_ids=True), moments)
def test_as_of_hides_a_later_correction_and_what_it_corrects(events: list[ContactEvent], as_of: int) -> None:
    """facts.md 1 comes before 4: of one id the winner is chosen first, then what is later is hidden."""
    visible = [one for one in unique(events) if one.occurred_at <= as_of]
    facts, expected = fold(events, RULES, as_of), fold(visible, RULES)
    assert (facts.legs, facts.surveys) == (expected.legs, expected.surveys)
