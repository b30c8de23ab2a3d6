"""Additive tallies of first contact resolution: what a candidate contributes, per length of the window."""

from collections.abc import Iterator
from functools import cache

from kpis.facts import FcrFact
from kpis.rules import FcrRules
from kpis.tallies.windows import Window, minute
from schemas.time_units import DAY_MS, MINUTE_MS

# At the end of the anchor.
ANCHORED = (
    "anchors",
    "anchors_level1",  # whose issue the first level could resolve: what net FCR is about
    "repeated",
    "failed",  # repeated, or failed by itself
    "failed_level1",
    "one_stop",  # not failed and not transferred
    "episodes",  # the first of a chain of contacts
    "one_and_done",  # a chain of one that did not fail
)
# At the beginning of the candidate.
BEGUN = ("candidates", "repeats")
FCR_MEASURES = (*ANCHORED, *BEGUN)
INDEX = {name: position for position, name in enumerate(FCR_MEASURES)}

FcrTally = tuple[
    int, ...
]  # one integer per name in FCR_MEASURES, for the first length of the window, the second, ...
FcrContribution = dict[Window, FcrTally]


def zero(rules: FcrRules) -> FcrTally:
    """The tally of a window that nothing is booked in, for all lengths of these rules."""
    return (0,) * (len(FCR_MEASURES) * len(rules.windows_days))


def by_days(tally: FcrTally, rules: FcrRules) -> Iterator[tuple[int, FcrTally]]:
    """A flat tally taken apart: each length of the window in days, with its part (FCR_MEASURES)."""
    width = len(FCR_MEASURES)
    for place, days in enumerate(rules.windows_days):
        yield days, tally[place * width : (place + 1) * width]


def is_repeated(fact: FcrFact, days: int) -> bool:
    """Did the customer come back within so many days of the anchor's end?"""
    return (
        fact.ended_at is not None
        and fact.next_at is not None
        and (fact.next_at <= fact.ended_at + days * DAY_MS)
    )


def is_repeat(fact: FcrFact, days: int) -> bool:
    """Is this the return of a customer whose earlier contact ended at most so many days before?"""
    return fact.previous_end_at is not None and fact.begins_at <= fact.previous_end_at + days * DAY_MS


def tally_of(**measures: int) -> FcrTally:
    """The tally for one length of the window with these measures, zeros for those that are not named."""
    assert measures.keys() <= INDEX.keys()
    return tuple(measures.get(name, 0) for name in FCR_MEASURES)


@cache
def at_end(repeated: bool, repeat: bool, fails: int, level1: int, transferred: int) -> FcrTally:
    """What an anchor adds at its end, for one length of the window."""
    failed = int(fails or repeated)
    first = int(not repeat)
    return tally_of(
        anchors=1,
        anchors_level1=level1,
        repeated=int(repeated),
        failed=failed,
        failed_level1=failed * level1,
        one_stop=int(not failed and not transferred),
        episodes=first,
        one_and_done=int(first and not failed),
    )


# What a candidate adds at its beginning, by whether it is a repeat.
AT_BEGIN: dict[bool, FcrTally] = {
    repeat: tally_of(candidates=1, repeats=int(repeat)) for repeat in (False, True)
}


def fcr_contribution(fact: FcrFact, rules: FcrRules) -> FcrContribution:
    """All that a candidate adds: window -> tally. Tallies of few kinds are joined, which is quick."""
    begun: FcrTally = ()
    ending: FcrTally = ()
    for days in rules.windows_days:
        repeat = is_repeat(fact, days)
        begun += AT_BEGIN[repeat]
        if fact.ended_at is not None:
            repeated = is_repeated(fact, days)
            ending += at_end(repeated, repeat, fact.failed, fact.level1_resolvable, fact.transferred)
    begin = Window(minute(fact.begins_at), fact.channel, fact.queue)
    if fact.ended_at is None:
        return {begin: begun}
    end = Window(minute(fact.ended_at), fact.channel, fact.queue)
    if begin == end:
        return {begin: tuple(map(int.__add__, begun, ending))}
    return {begin: begun, end: ending}


def is_final(window_start: int, days: int, as_of: int) -> bool:
    """Can no later contact change what was judged in this minute? Only such windows are final."""
    return window_start + MINUTE_MS + days * DAY_MS <= as_of
