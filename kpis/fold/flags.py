"""Which repairs a fold had to make: collected on the way and kept with the facts (docs/facts.md)."""

from collections.abc import Iterable
from typing import Literal

Flag = Literal[
    "START_MISSING",  # no event says when the contact started: the first one does
    "ANSWER_MISSING",  # handled by evidence alone
    "ANSWER_AFTER_END",
    "DUP_STARTED",  # more than one where there can be one: the earliest counts
    "DUP_QUEUED",
    "DUP_ANSWERED",
    "DUP_REOPENED",
    "DUP_WRAPPED",
    "MULTI_TERMINAL",  # more than one end of a leg: the earliest counts
    "SKEW",  # clocks disagree within the tolerance: taken as 0
    "NEG",  # and beyond it: not known
    "HOLD_ORDER",  # holds that do not fit to each other, or to the conversation
    "WRAP_BEFORE_END",
    "WRAP_IGNORED",  # by an agent who did not answer
    "REOPEN_IMPLIED",
    "SCORE_RANGE",  # an answer that is not on its scale
    "FUTURE",
]


class Flags(set[str]):
    """A collector, handed down through one fold; nothing of it decides about any number."""

    def note(self, flag: Flag) -> None:
        """Remember that the fold had to make this repair."""
        self.add(flag)

    def listed(self, of_legs: Iterable[Iterable[str]] = ()) -> tuple[str, ...]:
        """All of them and those of the legs, in order, as facts keep them."""
        known = self.union(*of_legs)
        return tuple(sorted(known)) if known else ()
