"""A chain of contacts: each transfer opens a contact of its own, which is a leg of the customer's contact."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.amazon_connect.contact_events import KINDS
from adapters.amazon_connect.records import RECORD
from adapters.kit.journeys import Facts

# Of what several feeds say, events are exact to the millisecond; records fill the gaps.
RANK = {kind: rank for rank, kind in enumerate((*KINDS, "GONE", RECORD))}
OUTBOUND = ("OUTBOUND", "CAMPAIGN_PREVIEW")
CALLBACK, EXTERNAL = "CALLBACK", "EXTERNAL_OUTBOUND"
LATER = 2**53


@dataclass(slots=True)
class Part:
    """One of Connect's contacts: what all its payloads say together."""

    name: str
    said: dict[str, Any] = field(default_factory=dict)
    exact: set[str] = field(default_factory=set)  # what an event says, not only a record
    held: list[int] = field(default_factory=list)
    resumed: list[int] = field(default_factory=list)
    offers: list[dict[str, Any]] = field(default_factory=list)

    def at(self, name: str) -> int | None:
        """A time."""
        value: int | None = self.said.get(name)
        return value

    def text(self, name: str) -> str:
        """A text, "" where it is not known."""
        return str(self.said.get(name) or "")

    @property
    def begins(self) -> int:
        """When it began, as far as that is known."""
        times = (self.at(name) for name in ("initiated", "queued", "answered", "ended"))
        return next((at for at in times if at is not None), LATER)


def parts_of(facts: Facts) -> dict[str, Part]:
    """All contacts of a journey by their ids."""
    parts: dict[str, Part] = {}
    for name in sorted(facts, key=lambda each: (RANK.get(each.split("|")[1], 99), each)):
        contact, kind, *_ = name.split("|")
        part, value = parts.setdefault(contact, Part(contact)), facts[name]
        if kind == "HELD":
            part.held.append(value["held"])
        elif kind == "RESUMED":
            part.resumed.append(value["resumed"])
        elif kind == "OFFER":
            part.offers.append(value["offer"])
        else:
            learn(part, kind, value)
    return parts


def learn(part: Part, kind: str, value: Mapping[str, Any]) -> None:
    """Add what one payload says; what is known is known better, but for the hold, whose last sum counts."""
    for name, said in value.items():
        if kind != RECORD:
            part.exact.add(name)
        if name == "hold_ms":
            part.said[name] = max(said, part.said.get(name, 0))
        else:
            part.said.setdefault(name, said)


@dataclass(frozen=True, slots=True)
class Chain:
    """The parts of one contact of a customer. `first` is not known where its payloads are missing."""

    first: str
    parts: dict[str, Part]
    every: dict[str, Part]  # of the whole journey, where a call back may follow

    def legs(self) -> list[Part]:
        """Its legs in order: the first, then by their beginnings. Third parties are none."""
        others = [
            part
            for name, part in self.parts.items()
            if name != self.first and not (part.text("method") == EXTERNAL and part.text("previous"))
        ]
        first = self.parts.get(self.first) or Part(self.first)
        return [first, *sorted(others, key=lambda part: (part.begins, part.name))]

    def after(self, name: str, method: tuple[str, ...]) -> Part | None:
        """The first contact that names this one as the one before, of these methods."""
        found = [
            part
            for part in self.every.values()
            if part.text("previous") == name and part.text("method") in method
        ]
        return min(found, key=lambda part: (part.begins, part.name), default=None)


def owner_of(name: str, root: str, parts: Mapping[str, Part]) -> str:
    """The contact at the beginning of the chain that a contact is in: a call back begins one of its own."""
    seen: set[str] = set()
    while name in parts and name not in seen:
        seen.add(name)
        if parts[name].text("method") == CALLBACK:
            return name
        name = parts[name].text("previous")
    return root


def chains_of(root: str, facts: Facts) -> Iterator[Chain]:
    """The customer's contacts in a journey."""
    every = parts_of(facts)
    owners: dict[str, dict[str, Part]] = {}
    for name, part in sorted(every.items()):
        owners.setdefault(owner_of(name, root, every), {})[name] = part
    for first, parts in sorted(owners.items()):
        yield Chain(first, parts, every)
