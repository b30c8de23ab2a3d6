"""Sources whose payloads mean something only together, such as the contacts of a chain of transfers.

What a payload says is kept as facts of a journey: texts by name, of each name the newest version. After each
payload the events of the journey are computed anew from all its facts, and those that are told otherwise are
told again with a greater revision. So the last word depends on the set of payloads alone, not on their order.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from adapters.kit.journal import Journal
from adapters.kit.lines import LineFile
from adapters.kit.outcomes import InvalidInput, LineOutcome
from adapters.kit.payloads import Payload, PayloadAdapter, Told, payloads_in, read_payloads
from schemas.events import AgentStateChanged, ContactWithdrawn, Event, SourceHeartbeat

JOURNEYS_MAX = 200_000  # remembered at the same time; the one that was heard of longest ago is forgotten
FACTS_MAX = 2_000  # of one journey
Value = Mapping[str, Any]
Facts = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Fact:
    """What a payload says of a journey; of facts of one name the one with the greatest version counts."""

    journey: str
    name: str
    value: Value
    version: int = 0


Said = Fact | Event | InvalidInput
FactsOf = Callable[[Payload, bytes], Sequence[Said]]
Tell = Callable[[str, Facts], Sequence[Event]]


@dataclass(slots=True)
class Journey:
    """What is known of one: facts with versions, events as they were told last, how often it changed."""

    facts: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    told: dict[str, tuple[Event, int]] = field(default_factory=dict)
    changes: int = 0

    def learn(self, fact: Fact) -> bool:
        """Keep a fact; False where it is known, or an older version."""
        given = fact.version, orjson.dumps(fact.value, option=orjson.OPT_SORT_KEYS)
        known = self.facts.get(fact.name)
        if (known is not None and known >= given) or (known is None and len(self.facts) >= FACTS_MAX):
            return False
        self.facts[fact.name] = given
        return True

    def news(self, key: str, tell: Tell) -> Iterator[Event]:
        """The events that are told otherwise now, or for the first time."""
        events = tell(key, {name: orjson.loads(value) for name, (_, value) in self.facts.items()})
        self.changes += 1
        gone = self.told.keys() - {event.event_id for event in events}
        for event in [*events, *(taken_back(self.told[name][0]) for name in sorted(gone))]:
            known = self.told.get(event.event_id)
            if known is None or known[0] != event:
                self.told[event.event_id] = event, self.changes
                yield event.model_copy(update={"revision": self.changes})

    def again(self) -> Iterator[Event]:
        """All events as they were told last."""
        return (event.model_copy(update={"revision": revision}) for event, revision in self.told.values())


def taken_back(event: Event) -> Event:
    """What stands for an event that is not true any more, by all that is known now: it says nothing."""
    if isinstance(event, AgentStateChanged | SourceHeartbeat | ContactWithdrawn):
        return event
    kept = {
        name: getattr(event, name) for name in ("event_id", "contact_id", "occurred_at", "source", "channel")
    }
    return ContactWithdrawn(**kept, cause="other", undone=True)


class Journeys:
    """The journeys of one source that are remembered.

    `posted`: a payload that comes again may come because we could not take it, so all is told again.
    """

    def __init__(self, facts_of: FactsOf, tell: Tell, posted: bool = False) -> None:
        self._facts_of, self._tell, self._posted = facts_of, tell, posted
        self._journeys: OrderedDict[str, Journey] = OrderedDict()
        self._journal: Journal | None = None
        # What was said before a restart, of journeys that nothing was said of since.
        self._before: OrderedDict[str, list[Fact]] = OrderedDict()

    def remember(self, path: Path) -> None:
        """Keep on disk what is said, and begin with what was. Raises OSError."""
        self._journal = Journal(path)
        for line in self._journal.lines():
            fact = Fact(line["journey"], line["name"], line["value"], line["version"])
            self._before.setdefault(fact.journey, []).append(fact)
            self._before.move_to_end(fact.journey)
        while len(self._before) > JOURNEYS_MAX:
            self._before.popitem(last=False)

    def to_events(self, payload: Payload, secret: bytes) -> list[Told]:
        """The events that a payload makes known. Raises InvalidInput, Ignored."""
        said = self._facts_of(payload, secret)
        events: list[Told] = [each for each in said if not isinstance(each, Fact)]
        facts: dict[str, list[Fact]] = {}
        for each in said:
            if isinstance(each, Fact):
                facts.setdefault(each.journey, []).append(each)
        learned = [(key, self._learn(key, found)) for key, found in facts.items()]
        for _, news in learned:
            events += news or ()
        if self._posted and not any(news is not None for _, news in learned):
            for key in facts:
                events += self._journey(key).again()
        return events

    def _learn(self, key: str, facts: list[Fact]) -> list[Told] | None:
        """What facts change in what is told of a journey; None where all of them are known.

        One that no event can be made with is refused and forgotten: else it would take along all that is
        said of the journey after it.
        """
        journey = self._journey(key)
        before = dict(journey.facts)
        learned = [fact for fact in facts if journey.learn(fact)]
        if not learned:
            return None
        try:
            events: list[Told] = [*journey.news(key, self._tell)]
        except InvalidInput as refused:
            journey.facts = before
            return [refused]
        if self._journal is not None:
            for fact in learned:
                self._journal.add(journey=key, name=fact.name, value=fact.value, version=fact.version)
        return events

    def _restored(self, key: str) -> Journey:
        """A journey as it was before a restart: told from the beginning, when it is heard of again."""
        journey = Journey()
        for fact in self._before.pop(key, ()):
            if journey.learn(fact):
                with suppress(InvalidInput):
                    deque(journey.news(key, self._tell), 0)
        return journey

    def _journey(self, key: str) -> Journey:
        journey = self._journeys.pop(key, None) or self._restored(key)
        self._journeys[key] = journey
        while len(self._journeys) > JOURNEYS_MAX:
            self._journeys.popitem(last=False)
        return journey


@dataclass(frozen=True, slots=True)
class JourneyAdapter:
    """How its payloads are read; see PayloadAdapter. `tell` is a function of the set of facts."""

    is_mine: Callable[[Payload], bool]
    facts_of: FactsOf
    tell: Tell
    customers: Callable[[Payload], Iterable[object]]
    parse: Callable[[bytes], list[Payload | InvalidInput]] = payloads_in

    def remembering(self, posted: bool = False) -> PayloadAdapter:
        """One that remembers what was said to it, from now on; see Journeys."""
        journeys = Journeys(self.facts_of, self.tell, posted)
        return PayloadAdapter(
            self.is_mine, journeys.to_events, self.customers, self.parse, remember=journeys.remember
        )


class JourneyFiles:
    """A reader of files of payloads, which are parts of one log."""

    def __init__(self, adapter: JourneyAdapter) -> None:
        self._adapter = adapter.remembering()

    def __call__(self, file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
        """Outcomes of a file. Raises WrongFile where the first payload is none of this source."""
        return read_payloads(self._adapter, file, secret)


def read_journeys(adapter: JourneyAdapter, file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
    """Outcomes of one file by itself. Raises WrongFile."""
    return JourneyFiles(adapter)(file, secret)


def parts_of(adapter: JourneyAdapter) -> Callable[[], JourneyFiles]:
    """What makes a reader of several files."""
    return partial(JourneyFiles, adapter)
