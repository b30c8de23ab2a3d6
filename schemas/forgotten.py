"""Customers who were forgotten (docs/adr/0021-forgetting.md): a name at random stands in place of their key.

The ledger knows them by a keyed digest of their key, and says which name stands for what happened up to when.
It is an input beside the events and the rules: with it an event of such a customer, whatever way it comes and
however often, is the event with the name. So repeat contacts stay repeat contacts and no number changes.
"""

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.events import Event

DIGEST_BYTES = 16
# Keys as schemas.customer_key makes them, in bytes that nobody can read otherwise.
KEY_IN_BYTES = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
KEPT_KEYS = 100_000


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What happened up to `until_ms` is of `pseudonym`; None: of nobody, since the name was destroyed."""

    until_ms: int
    pseudonym: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """All that the ledger has of one: somebody can be forgotten again who has come back.

    `lines`: offsets of topics of facts, by partition. What stands before them under the old key is outdated.
    `done` is False until everything was rewritten.
    """

    times: tuple[Forgotten, ...]
    lines: dict[str, tuple[int, ...]] = field(default_factory=dict)
    done: bool = True


@dataclass(frozen=True, slots=True)
class Ledger:
    """All who were forgotten, by the digest of their customer key."""

    key: bytes = b""
    people: Mapping[str, Person] = field(default_factory=dict)
    _known: dict[str, Person | None] = field(default_factory=dict, repr=False, compare=False)

    def __bool__(self) -> bool:
        return bool(self.people)

    def digest(self, customer: str) -> str:
        """Under which name of the ledger a customer key is."""
        return hmac.digest(self.key, customer.encode("utf-8", "surrogatepass"), "sha256")[:DIGEST_BYTES].hex()

    def person(self, customer: str | None) -> Person | None:
        """What is known of a customer; None of whom was never forgotten."""
        if not self.people or not customer:
            return None
        if customer not in self._known:
            if len(self._known) >= KEPT_KEYS:
                self._known.clear()
            self._known[customer] = self.people.get(self.digest(customer))
        return self._known[customer]

    def name_of(self, customer: str, at_ms: int) -> str | None:
        """Whose something is that happened then to a customer: theirs, a pseudonym's, or nobody's."""
        person = self.person(customer)
        for time in person.times if person else ():
            if at_ms <= time.until_ms:
                return time.pseudonym
        return customer

    def applied(self, event: Event) -> Event:
        """The event as it is since its customer was forgotten; the same object where none was."""
        customer = getattr(event, "customer_key", None)
        if self.person(customer) is None:
            return event
        name = self.name_of(customer, event.occurred_at)  # type: ignore[arg-type]
        return event if name == customer else event.model_copy(update={"customer_key": name})

    def outdated(self, customer: str | None, topic: str, partition: int, offset: int) -> bool:
        """Is a record under this key from before its customer was forgotten? A newer one is behind it."""
        person = self.person(customer)
        lines = person.lines.get(topic, ()) if person else ()
        return partition < len(lines) and offset < lines[partition]

    def last_name(self, customer: str) -> str | None:
        """The pseudonym of a customer who was forgotten, of the last time."""
        person = self.person(customer)
        return person.times[-1].pseudonym if person else customer

    def names_one(self, data: bytes) -> bool:
        """Does the key of somebody who was forgotten stand in bytes that are no event?"""
        return bool(self.people) and any(
            self.person(found.decode()) is not None for found in KEY_IN_BYTES.findall(data)
        )


NOBODY = Ledger()
KEY_NAME = "key"


def person_document(person: Person) -> dict[str, Any]:
    """What is stored of a person, as JSON has it."""
    return {
        "times": [[time.until_ms, time.pseudonym] for time in person.times],
        "lines": {topic: list(lines) for topic, lines in person.lines.items()},
        "done": person.done,
    }


def read_ledger(stored: Iterable[tuple[str, Any]]) -> Ledger:
    """A ledger of stored documents by digest, and one of its key. Raises TypeError, KeyError, ValueError."""
    key, people = b"", {}
    for name, document in stored:
        if name == KEY_NAME:
            key = bytes.fromhex(document["key"])
            continue
        times = tuple(Forgotten(int(until), pseudonym) for until, pseudonym in document["times"])
        lines = {topic: tuple(map(int, offsets)) for topic, offsets in document["lines"].items()}
        people[name] = Person(times, lines, bool(document["done"]))
    if people and not key:
        raise ValueError("the ledger of forgotten customers has lost its key")
    return Ledger(key, people)
