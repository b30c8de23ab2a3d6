"""What every source must keep, as checks of what its reader gives. Each returns what is wrong, in sentences.

`ringback adapter check` holds a file of the user against them, tests/contract the samples of every source. No
check says what stands in a line: a message may end in a log, and a line may name a customer.
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from adapters.kit.outcomes import Accepted, LineOutcome
from schemas.codec import encode
from schemas.customer_key import normalise
from schemas.dead_letter import DeadLetter
from schemas.events import AgentStateChanged, ContactEvent, ContactWithdrawn, Event, SourceHeartbeat

SEED = 20_260_105  # the same order of lines on every run
REASON = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
WORD = re.compile(r"\w+")
# A shorter identifier stands in other texts by chance: no finding would mean anything.
IDENTIFIER_MIN = 4
Fold = Callable[[Sequence[ContactEvent]], object]


def events_of(outcomes: Iterable[LineOutcome]) -> Iterator[Event]:
    """All events, in the order in which they are told."""
    for outcome in outcomes:
        if isinstance(outcome, Accepted):
            yield from outcome.events


def refused_of(outcomes: Iterable[LineOutcome]) -> list[DeadLetter]:
    """The outcomes that are refusals, in the order of their lines."""
    return [outcome for outcome in outcomes if isinstance(outcome, DeadLetter)]


def owner(event: Event) -> str:
    """Whose event ids `event_id` is among: the contact's, the agent's, the source's."""
    if isinstance(event, AgentStateChanged):
        return f"agent {event.agent}"
    return f"source {event.source}" if isinstance(event, SourceHeartbeat) else event.contact_id


def by_owner(outcomes: Iterable[LineOutcome]) -> dict[str, list[Event]]:
    """Events by contact, agent or source."""
    found: dict[str, list[Event]] = {}
    for event in events_of(outcomes):
        found.setdefault(owner(event), []).append(event)
    return found


def reread_differs(first: Sequence[LineOutcome], second: Sequence[LineOutcome]) -> list[str]:
    """Reading the same file again must give the same events, to the byte, and the same dead letters."""
    once, again = ([encode(event) for event in events_of(outcomes)] for outcomes in (first, second))
    wrong = []
    if once != again:
        same = sum(one == two for one, two in zip(once, again, strict=False))
        wrong.append(
            f"read twice, the file gives {len(once)} and {len(again)} events, {same} of them the same; event "
            "ids must be made from the source's own ids, not from counters, clocks or chance"
        )
    if refused_of(first) != refused_of(second):
        wrong.append("read twice, other lines are refused or for other reasons")
    return wrong


def mixed(lines: Sequence[bytes], header_lines: int) -> list[bytes]:
    """The lines twice and in another order, under their header."""
    rows = [*lines[header_lines:]] * 2
    random.Random(SEED).shuffle(rows)
    return [*lines[:header_lines], *rows]


def order_matters(straight: Sequence[LineOutcome], shuffled: Sequence[LineOutcome], fold: Fold) -> list[str]:
    """Lines twice and in another order must give the same event ids and, folded, the same facts."""
    expected, found = by_owner(straight), by_owner(shuffled)
    wrong = sorted(expected.keys() ^ found.keys())
    wrong += [name for name in expected.keys() & found.keys() if differ(expected[name], found[name], fold)]
    if not wrong:
        return []
    return [
        f"lines twice and in another order give other events for {len(wrong)} of {len(expected)} contacts, "
        f"first {min(wrong)!r}"
    ]


def differ(events: list[Event], others: list[Event], fold: Fold) -> bool:
    """Do two sets of events of one owner say different things?"""
    if standing(events) != standing(others):
        return True
    return folded(events, fold) != folded(others, fold)


def standing(events: list[Event]) -> set[str]:
    """Ids of events, but of those that were taken back in the end: such a one says nothing."""
    last = {event.event_id: event for event in sorted(events, key=lambda it: (it.revision, encode(it)))}
    return {
        name for name, event in last.items() if not (isinstance(event, ContactWithdrawn) and event.undone)
    }


def folded(events: list[Event], fold: Fold) -> object:
    """What events say whatever their order: facts of a contact; else, of each event, its last revision."""
    of_contact = [event for event in events if not isinstance(event, AgentStateChanged | SourceHeartbeat)]
    if of_contact:
        return fold(of_contact)
    return {event.event_id: event for event in sorted(events, key=lambda it: (it.revision, encode(it)))}


def revisions_wrong(outcomes: Sequence[LineOutcome]) -> list[str]:
    """An event that is told again otherwise must have another revision each time: the greatest one counts."""
    told: dict[tuple[str, str, int], Event] = {}
    wrong = [
        f"{event.event_id!r} of {owner(event)!r}"
        for event in events_of(outcomes)
        if told.setdefault((owner(event), event.event_id, event.revision), event) != event
    ]
    if not wrong:
        return []
    return [f"{len(wrong)} events are told again otherwise with the same revision, first {wrong[0]}"]


def by_id(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Events of one owner by their id: the versions of each."""
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.event_id, []).append(event)
    return found


def history_changed(earlier: Sequence[LineOutcome], later: Sequence[LineOutcome]) -> list[str]:
    """A later export repeats each event of the same contacts to the byte, or with a greater revision."""
    before, after = by_owner(earlier), by_owner(later)
    wrong = []
    for name in before.keys() & after.keys():
        told = by_id(after[name])
        for event_id, known in by_id(before[name]).items():
            last = max(event.revision for event in known)
            now = told.get(event_id, [])
            added = [event for event in now if event not in known]
            lost = [event for event in known if event not in now]
            if any(event.revision <= last for event in added) or (lost and not added):
                wrong.append(f"{event_id!r} of {name!r}")
    if not wrong:
        return []
    return [
        f"a longer export does not repeat {len(wrong)} events of the one before, nor corrects them with a "
        f"greater revision, first {min(wrong)}"
    ]


class Identifiers:
    """Raw identifiers of customers, to be looked for in texts as whole words."""

    def __init__(self, identifiers: Iterable[str]) -> None:
        self._by_word: dict[str, set[str]] = {}
        for raw in identifiers:
            for text in {raw.strip(), normalise(raw)}:
                word = WORD.search(text.casefold())
                if word and len(text) >= IDENTIFIER_MIN and normalise(raw):
                    self._by_word.setdefault(word[0], set()).add(text.casefold()[word.start() :])

    def __bool__(self) -> bool:
        return bool(self._by_word)

    def stand_in(self, text: str) -> bool:
        """Does one of them stand in a text?"""
        text = text.casefold()
        return any(
            text.startswith(rest, word.start()) and not text[word.start() + len(rest) :][:1].isalnum()
            for word in WORD.finditer(text)
            for rest in self._by_word.get(word[0], ())
        )


def texts_of(event: Event) -> Iterator[str]:
    """The texts of an event. Its numbers are times, durations and scores; its type and key name nobody."""
    for name, value in event:
        if isinstance(value, str) and name not in ("type", "customer_key"):
            yield value


def customers_named(
    outcomes: Sequence[LineOutcome], logs: Iterable[str], identifiers: Identifiers
) -> list[str]:
    """No raw identifier of a customer may stand in an event, a dead letter or a log."""
    events = sum(any(map(identifiers.stand_in, texts_of(event))) for event in events_of(outcomes))
    refused = [
        letter.position
        for letter in refused_of(outcomes)
        if identifiers.stand_in(letter.detail)
        or identifiers.stand_in(letter.reason)
        or identifiers.stand_in(letter.payload.decode("utf-8", "replace"))
    ]
    wrong = [f"{events} events name a customer by a raw identifier"] if events else []
    if refused:
        wrong.append(f"{len(refused)} dead letters name a customer, first that of line {refused[0]}")
    named = sum(map(identifiers.stand_in, logs))
    return [*wrong, f"{named} lines of the log name a customer"] if named else wrong


def reasons_wrong(outcomes: Sequence[LineOutcome]) -> list[str]:
    """A refused line has a code that can be counted (lower case, no data in it) and a detail for people."""
    return [
        f"line {letter.position} is refused with the reason {letter.reason[:40]!r}, which is no stable code"
        for letter in refused_of(outcomes)
        if not (REASON.fullmatch(letter.reason) and letter.detail.strip())
    ][:3]


def too_many_refused(outcomes: Sequence[LineOutcome], max_share: float) -> list[str]:
    """Of the lines that a file tells of, no more than this share may be refused."""
    refused = refused_of(outcomes)
    if len(refused) <= max_share * len(outcomes):
        return []
    reasons = ", ".join(sorted({letter.reason for letter in refused}))
    return [
        f"{len(refused)} of {len(outcomes)} outcomes are refused ({reasons}), first line "
        f"{refused[0].position}; at most {max_share:.1%} may be"
    ]
