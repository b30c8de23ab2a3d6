"""Which contacts are behind a figure that is no quotient of sums: an extreme, a quantile, the peak hour."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kpis.catalogue.figure import (
    Duration,
    Longest,
    LongestWaitNow,
    PeakHour,
    Quantile,
    unknown_figure,
)
from kpis.facts import LegFact
from kpis.tallies.live import is_waiting
from kpis.tallies.peak_hour import QUARTERS_PER_HOUR, peak_hour
from reports.explain.reading import Asked, Contributor, FoldedContacts, Reader, dimensions_of
from schemas.time_units import QUARTER_MS
from sql import explain_queries as text


@dataclass(frozen=True, slots=True)
class FoundFigure:
    """A number and the contacts behind it."""

    value: Any
    num: int
    den: int
    n: int
    contributors: tuple[Contributor, ...]


NOTHING = FoundFigure(None, 0, 0, 0, ())


def figure_of(reader: Reader) -> FoundFigure:
    """The figure asked for with the contacts behind it. Raises TypeError for an unknown type."""
    match reader.asked.kpi.figure:
        case Quantile(duration, percent):
            return of_duration(reader, duration, percent)
        case Longest(duration):
            return of_duration(reader, duration, 100)
        case LongestWaitNow():
            return longest_wait_now(reader)
        case PeakHour():
            return peak(reader)
    raise unknown_figure(reader.asked.kpi.figure, "reports/explain/figures.py")


# Of each duration: its value, None for a leg without one, and when it is booked.
DURATIONS: dict[Duration, Callable[[LegFact], tuple[int | None, int | None]]] = {
    "wait_ms": lambda leg: (leg.queue_ms if leg.answered else None, leg.entered_at),
    "queue_ms": lambda leg: (leg.queue_ms, leg.entered_at),
    "handle_ms": lambda leg: (leg.handle_ms, leg.handled_at),
    "hold_max_ms": lambda leg: (leg.hold_max_ms if leg.hold_n else None, leg.handled_at),
}


def of_duration(reader: Reader, duration: Duration, percent: int) -> FoundFigure:
    """A quantile of a duration of legs."""
    asked, folded = reader.asked, reader.contacts(text.of_contacts_in_range())
    values = (
        (*DURATIONS[duration](leg), leg)
        for leg in folded.legs()
        if asked.fits(leg.channel, leg.queue, dimensions_of(leg))
    )
    return placed(
        asked,
        folded,
        [(value, leg) for value, at, leg in values if value is not None and asked.holds(at)],
        percent,
    )


def longest_wait_now(reader: Reader) -> FoundFigure:
    """The leg that waits for the longest time."""
    asked, folded = reader.asked, reader.contacts(text.of_moment())
    waiting = [
        (asked.as_of_ms - leg.entered_at, leg)
        for leg in folded.legs()
        if asked.fits(leg.channel, leg.queue, dimensions_of(leg))
        and is_waiting(leg, asked.as_of_ms, reader.rules)
    ]
    return placed(asked, folded, waiting, 100)


def placed(
    asked: Asked, folded: FoldedContacts, values: list[tuple[int, LegFact]], percent: int
) -> FoundFigure:
    """The leg at the quantile's place of all, the last for the greatest."""
    found = sorted(values, key=lambda pair: (pair[0], pair[1].contact_id, pair[1].leg))
    if not found:
        return NOTHING
    place = -(-percent * len(found) // 100) - 1
    value, leg = found[place]
    note = f"leg {leg.leg}, number {place + 1} of {len(found)} legs in order"
    holder = folded.contributor(leg.contact_id, value, 1, {asked.kpi.id: value}, note)
    return FoundFigure(value, value, 1, len(found), (holder,))


def peak(reader: Reader) -> FoundFigure:
    """The contacts that started in the busiest hour."""
    asked, folded = reader.asked, reader.contacts(text.of_contacts_in_range())
    first = -(-asked.from_ms // QUARTER_MS)
    counts = [0] * max(asked.to_ms // QUARTER_MS - first, 0)
    started: list[tuple[int, str]] = []
    for contact_id, facts in folded.facts.items():
        contact = facts.contact
        if contact is None or contact.consult_of:
            continue
        if not asked.fits(contact.channel, contact.entry_queue, dimensions_of(contact)):
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
    contributors = tuple(folded.contributor(contact_id, 1, None) for contact_id in inside)
    return FoundFigure(local, begin, 1, found[1], contributors)
