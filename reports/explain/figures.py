"""Which contacts are behind a figure that is no quotient of sums: an extreme, a quantile, the peak hour."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kpis.catalogue.kpi import quotient
from kpis.facts import LegFact
from kpis.rules import Rules
from kpis.tallies.live import is_waiting
from kpis.tallies.peak_hour import QUARTERS_PER_HOUR, peak_hour
from reports.explain.reading import Asked, Item, Known, Reader
from reports.kpi.figures import QUANTILE
from schemas.time_units import QUARTER_MS
from sql import explain_queries as text


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and the contacts behind it."""

    value: Any
    num: int
    den: int
    n: int
    items: tuple[Item, ...]


NOTHING = Figure(None, 0, 0, 0, ())


def figure_of(reader: Reader) -> Figure:
    """The figure asked for."""
    asked, rules = reader.asked, reader.rules
    if asked.kpi.fact == "callback":
        return callbacks(reader)
    if asked.kpi.id == "longest_wait_now":
        return placed(asked, reader.contacts(text.of_moment()), rules)
    known = reader.contacts(text.of_contacts_in_range())
    return peak(asked, known) if asked.kpi.fact == "peak" else placed(asked, known, rules)


def durations(asked: Asked, known: Known, rules: Rules) -> Iterator[tuple[int, LegFact]]:
    """The durations that a figure is taken from, each with its leg."""
    named = QUANTILE.fullmatch(asked.kpi.id)
    for leg in known.legs():
        if not asked.fits(leg.channel, leg.queue):
            continue
        if asked.kpi.id == "longest_wait_now":
            if is_waiting(leg, asked.as_of_ms, rules):
                yield asked.as_of_ms - leg.entered_at, leg
        elif asked.kpi.id == "longest_hold":
            if leg.hold_n and asked.holds(leg.handled_at):
                yield leg.hold_max_ms, leg
        elif named is not None and named[1] == "handle_time":
            if leg.handle_ms is not None and asked.holds(leg.handled_at):
                yield leg.handle_ms, leg
        elif leg.queue_ms is not None and asked.holds(leg.entered_at) and (leg.answered or named is None):
            yield leg.queue_ms, leg


def placed(asked: Asked, known: Known, rules: Rules) -> Figure:
    """The leg at the quantile's place of all, the last for the greatest."""
    found = sorted(
        durations(asked, known, rules), key=lambda pair: (pair[0], pair[1].contact_id, pair[1].leg)
    )
    if not found:
        return NOTHING
    named = QUANTILE.fullmatch(asked.kpi.id)
    percent = int(named[2]) if named else 100
    place = -(-percent * len(found) // 100) - 1
    value, leg = found[place]
    note = f"leg {leg.leg}, number {place + 1} of {len(found)} legs in order"
    subject = {"contact_id": leg.contact_id}
    holder = Item(subject, value, 1, {asked.kpi.id: value}, note, known.shown(leg.contact_id))
    return Figure(value, value, 1, len(found), (holder,))


def callbacks(reader: Reader) -> Figure:
    """Requests that were fulfilled, each with the contact that called back (docs/facts.md 7)."""
    asked = reader.asked
    known = reader.contacts(text.of_callbacks_in_range())
    items = []
    for contact_id, facts in known.facts.items():
        requests = [
            leg for leg in facts.legs if (leg.end_type, leg.end_detail) == ("transferred", "callback")
        ]
        if not requests or not asked.holds(requests[-1].entered_at):
            continue
        request = requests[-1]
        calls = sorted(answered_calls(contact_id, request.ended_at or 0, known, reader.rules))
        if calls and asked.fits(request.channel, request.queue):
            wait, call_id = calls[0]
            related = ((call_id, "the contact that called back", known.shown(call_id)),)
            note = f"asked for on leg {request.leg}"
            own = Item(
                {"contact_id": contact_id}, max(wait, 0), 1, {}, note, known.shown(contact_id), related
            )
            items.append(own)
    num = sum(item.num for item in items)
    return Figure(quotient(num, len(items)), num, len(items), len(items), tuple(items))


def answered_calls(asker: str, asked_at: int, known: Known, rules: Rules) -> Iterator[tuple[int, str]]:
    """Waits until each contact that called this one back, and which it was."""
    for contact_id, facts in known.facts.items():
        if facts.contact is None or facts.contact.callback_of != asker:
            continue
        answers = [leg.answered_at for leg in facts.legs if leg.answered_at is not None]
        if answers and min(answers) - asked_at >= -rules.skew_tolerance_ms:
            yield min(answers) - asked_at, contact_id


def peak(asked: Asked, known: Known) -> Figure:
    """The contacts that started in the busiest hour."""
    first = -(-asked.from_ms // QUARTER_MS)
    counts = [0] * max(asked.to_ms // QUARTER_MS - first, 0)
    started: list[tuple[int, str]] = []
    for contact_id, facts in known.facts.items():
        contact = facts.contact
        if contact is None or not asked.fits(contact.channel, contact.entry_queue):
            continue
        if asked.holds(contact.started_at):
            started.append((contact.started_at, contact_id))
    for at, _ in started:
        place = at // QUARTER_MS - first
        if 0 <= place < len(counts):
            counts[place] += 1
    found = peak_hour(counts)
    if found is None or not found[1]:
        return NOTHING
    begin = (first + found[0]) * QUARTER_MS
    end = begin + QUARTERS_PER_HOUR * QUARTER_MS
    local = datetime.fromtimestamp(begin // 1000, UTC).astimezone(ZoneInfo(asked.zone)).isoformat()
    inside = [contact_id for at, contact_id in started if begin <= at < end]
    items = tuple(Item({"contact_id": own}, 1, None, {}, events=known.shown(own)) for own in inside)
    return Figure(local, begin, 1, found[1], items)
