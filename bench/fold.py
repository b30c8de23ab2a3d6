"""Fold: a contact's events to its facts and its contribution to the KPI windows, each contact once."""

import sys
from pathlib import Path
from typing import cast

from bench.counted import named, summed, verdict
from bench.events import Input, load
from bench.meter import Stopwatch
from kpis.fold.events import fold
from kpis.rules import DEFAULT_RULES
from kpis.tallies.windows import contribution
from schemas.codec import decode
from schemas.events import ContactEvent


def by_contact(data: Input) -> list[list[ContactEvent]]:
    """Decoded events of each contact, in the order they arrived."""
    contacts: dict[bytes, list[ContactEvent]] = {}
    for message in data.messages:
        contacts.setdefault(message.key, []).append(cast(ContactEvent, decode(message.value)))
    return list(contacts.values())


def main(folder: Path) -> None:
    """Fold all contacts; adding up what they contribute is not measured."""
    data = load(folder)
    contacts = by_contact(data)
    with Stopwatch() as used:
        contributions = [contribution(fold(events, DEFAULT_RULES), DEFAULT_RULES) for events in contacts]
    counted = summed((window, named(tally)) for part in contributions for window, tally in part.items())
    used.report(len(data.messages), verdict(counted, data.truth))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
