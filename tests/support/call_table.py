"""The table of docs/sources/asterisk.md: recorded calls, what the driver knew and what each source says."""

from collections.abc import Iterable

from support.recorded_asterisk import ami, queue_log, truths
from support.telephone_truth import Truth

from adapters.kit.contract import by_owner
from kpis.facts import LegFact
from kpis.fold.events import fold
from schemas.events import ContactEvent, ContactOffered, Event

COUNTED = ("answers", "abandoned", "transferred", "missed")
Contacts = dict[str, list[Event]]


def told(contacts: Contacts, truth: Truth) -> tuple[tuple[LegFact, ...], int]:
    """The legs of a call, and offers that came to nothing."""
    found = [each for each in contacts.get(f"asterisk-{truth.call}", []) if isinstance(each, ContactEvent)]
    last: dict[str, ContactOffered] = {}
    for event in sorted(found, key=lambda each: each.revision):
        if isinstance(event, ContactOffered):
            last[event.event_id] = event
    return fold(found).legs, sum(event.outcome != "answered" for event in last.values())


def said(contacts: Contacts, calls: Iterable[Truth]) -> str:
    """Answers, abandoned and transferred calls, missed offers, as a source tells them."""
    counts = [0, 0, 0, 0]
    for truth in calls:
        legs, missed = told(contacts, truth)
        one = (sum(leg.handled for leg in legs), any(leg.abandoned for leg in legs))
        for place, count in enumerate((*one, any(leg.transferred_out for leg in legs), missed)):
            counts[place] += int(count)
    return " / ".join(map(str, counts))


def known(calls: Iterable[Truth]) -> str:
    """The same, as the driver knew it."""
    calls = list(calls)
    counts = (
        sum(len(each.stints) for each in calls),
        sum(each.abandoned for each in calls),
        sum(each.transferred for each in calls),
        sum(each.not_answered for each in calls),
    )
    return " / ".join(map(str, counts))


def call_table() -> str:
    """The table, with a row for each kind of call."""
    sources = [by_owner(queue_log()), by_owner(ami()), by_owner([*queue_log(), *ami()])]
    kinds: dict[str, list[Truth]] = {}
    for truth in truths():
        kinds.setdefault(truth.kind, []).append(truth)
    rows = ["| Kind | Calls | Truth | queue_log | AMI | Both |", "|---|---|---|---|---|---|"]
    for kind, calls in sorted(kinds.items()):
        cells = [kind, str(len(calls)), known(calls), *(said(contacts, calls) for contacts in sources)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
