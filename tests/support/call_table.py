"""Tables of recorded calls in docs/sources: what the driver knew, and what each source says."""

import lzma
from collections.abc import Iterable
from pathlib import Path

from support.recorded_asterisk import RECORDED, SECRET, ami, queue_log, truths
from support.telephone_truth import Truth, calls_of

from adapters.freeswitch.file import EventFile
from adapters.kit.check import read_lines
from adapters.kit.contract import by_owner
from kpis.facts import LegFact
from kpis.fold.events import fold
from schemas.events import ContactEvent, ContactOffered, Event

FREESWITCH = Path(__file__).parents[1] / "data" / "freeswitch"
Contacts = dict[str, list[Event]]


def told(contacts: Contacts, prefix: str, truth: Truth) -> tuple[tuple[LegFact, ...], int]:
    """The legs of a call, and offers that came to nothing."""
    found = [each for each in contacts.get(f"{prefix}-{truth.call}", []) if isinstance(each, ContactEvent)]
    last: dict[str, ContactOffered] = {}
    for event in sorted(found, key=lambda each: each.revision):
        if isinstance(event, ContactOffered):
            last[event.event_id] = event
    return fold(found).legs, sum(event.outcome != "answered" for event in last.values())


def said(contacts: Contacts, prefix: str, calls: Iterable[Truth]) -> str:
    """Answers, abandoned and transferred calls, missed offers, as a source tells them."""
    counts = [0, 0, 0, 0]
    for truth in calls:
        legs, missed = told(contacts, prefix, truth)
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


def table_of(prefix: str, calls: Iterable[Truth], sources: dict[str, Contacts]) -> str:
    """The table, with a row for each kind of call."""
    kinds: dict[str, list[Truth]] = {}
    for truth in calls:
        kinds.setdefault(truth.kind, []).append(truth)
    names = ("Kind", "Calls", "Truth", *sources)
    rows = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for kind, found in sorted(kinds.items()):
        told_by = (said(contacts, prefix, found) for contacts in sources.values())
        rows.append(f"| {' | '.join([kind, str(len(found)), known(found), *told_by])} |")
    return "\n".join(rows)


def asterisk_table(recorded: Path = RECORDED) -> str:
    """Of docs/sources/asterisk.md."""
    log, session = queue_log(recorded), ami(recorded)
    sources = {"queue_log": by_owner(log), "AMI": by_owner(session), "Both": by_owner([*log, *session])}
    return table_of("asterisk", truths(recorded), sources)


def freeswitch_table() -> str:
    """Of docs/sources/freeswitch.md."""
    lines = lzma.decompress((FREESWITCH / "events.jsonl.xz").read_bytes()).splitlines()
    contacts = by_owner(read_lines(EventFile(), "events.jsonl", lines, SECRET))
    calls = calls_of(FREESWITCH / "truth.jsonl.xz", 0.0)
    return table_of("freeswitch", calls, {"Events": contacts})
