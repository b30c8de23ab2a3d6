"""Additive tallies of first contact resolution: what a candidate contributes, per length of the window."""

from collections.abc import Iterator
from functools import cache

from kpis.facts import FcrFact
from kpis.rules import DAY_MS, FcrRules
from kpis.tally import Window, minute

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
    """The tally of nothing."""
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


@cache
def at_end(repeated: bool, repeat: bool, fails: int, level1: int, transferred: int) -> FcrTally:
    """What an anchor adds at its end, for one length of the window: ANCHORED, and zeros for BEGUN."""
    failed = int(fails or repeated)
    first = int(not repeat)
    one_stop, one_and_done = int(not failed and not transferred), int(first and not failed)
    return (1, level1, int(repeated), failed, failed * level1, one_stop, first, one_and_done, 0, 0)


# What a candidate adds at its beginning: zeros for ANCHORED, and BEGUN; by whether it is a repeat.
AT_BEGIN: dict[bool, FcrTally] = {repeat: (*(0,) * len(ANCHORED), 1, int(repeat)) for repeat in (False, True)}


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
    return window_start + 60_000 + days * DAY_MS <= as_of
