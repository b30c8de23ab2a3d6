"""Additive tallies: what one contact contributes to the KPI windows.

A window is (minute, channel, queue). Every measure is an integer sum, so windows add up to any longer window
and a contact whose facts change moves them by its new contribution minus its old one. Each measure is booked
at one time of the contact's life (docs/facts.md 6): queue measures when the leg entered the queue, so that a
rate's numerator is part of its denominator; handle measures when the leg was finished; contact measures when
the contact started, ended or was resolved.
"""

import operator
from bisect import bisect_left
from collections.abc import Mapping
from typing import NamedTuple

from kpis.facts import ContactFact, Facts, LegFact, OfferFact
from kpis.fold.leg import is_short
from kpis.rules import Rules, target_ms
from kpis.tallies.contact_amounts import REJECTIONS, contact_amounts
from kpis.tallies.first_response import RESPONSE_MEASURES, response_amounts
from kpis.tallies.offers import OFFER_MEASURES, offer_amounts
from schemas.time_units import MINUTE_MS, SECOND_MS

# Known waits are counted by length as well: up to so many seconds, and longer than the limit before.
WAIT_LIMITS_S = (10, 15, 20, 30, 45, 60, 90, 120, 180, 300)
WAIT_LIMITS_MS = tuple(limit * SECOND_MS for limit in WAIT_LIMITS_S)
# Booked when the leg entered its queue.
ENTERED = (
    "offered",
    "answered",
    "abandoned",
    "short_abandoned",
    "flow_out",
    "waiting",
    "wait_ms",  # of answered legs whose wait is known
    "wait_n",
    "abandon_wait_ms",  # of abandoned legs whose wait is known
    "abandon_wait_n",
    "queue_ms",  # of all offered legs whose wait is known
    "queue_n",
    "answered_in_target",
    "abandoned_in_target",
    "flow_out_in_target",
    "service_level_n",  # denominator of SL3: known wait, answered or abandoned but not short
    *(f"answered_wait_{limit}" for limit in WAIT_LIMITS_S),
    *(f"abandoned_wait_{limit}" for limit in WAIT_LIMITS_S),
    "wait_business_ms",  # of the waits above, what lay within business hours
    "queue_business_ms",
    "answered_in_target_business",  # within T of business hours
    *RESPONSE_MEASURES,
)
# Booked when the agent had finished the leg (end of after-contact work, else end of the leg).
HANDLED = (
    "handled",
    "handle_n",  # legs whose handle time is known
    "handle_ms",
    "talk_ms",  # of legs with known handle time, as acw_ms
    "acw_ms",
    "hold_ms",  # of all handled legs
    "hold_n",
    "held",  # legs with at least one hold
    "transferred_out",
)
# Booked when it happened, as vendors without arrival cohorts do: the answer, the end of an abandoned leg.
ANSWERED = ("answers",)
LEFT = ("abandonments",)
# Booked when the contact started.
STARTED = (
    "contacts",
    "contacts_inbound",
    "contacts_outbound",
    "contacts_ivr",
    "contacts_ivr_abandoned",
    "ivr_abandoned",
    "rejected",  # turned away before any queue took it
    *(f"rejected_{cause}" for cause in REJECTIONS),
)
# Booked when the contact first entered a queue: it counts once, however many queues it was in.
FIRST_ENTERED = (
    "contact_offered",
    "contact_answered",
    "contact_abandoned",
    "contact_short_abandoned",
    "contact_waiting",
    "contact_wait_ms",  # of answered contacts whose wait is known: in queues, until the first agent
    "contact_wait_n",
    "contact_abandon_wait_ms",  # of abandoned contacts whose wait is known
    "contact_abandon_wait_n",
    "contact_queue_ms",  # of contacts with any known time in queue: all of it, that after a transfer included
    "contact_queue_n",
    "contact_in_target",
    "contact_service_level_n",
)
# Booked when the contact ended.
ENDED = (
    "ended",
    "ended_handled",
    "contact_handle_ms",
    "ended_transferred",
    "ended_bot",
    "contained",
    "ended_judgeable",  # handled inbound contacts: what first contact resolution is about
    "ended_known",  # those of them whose customer is known
)
# Booked when the contact ended, of written inbound contacts that an agent had.
WRITTEN = (
    "written",
    "written_solved",  # resolved, and not as unresolved
    "one_touch",  # of them those with fewer than two replies
    "replies",
    "reply_ms",  # of messages after the first reply: until the next
    "reply_n",
    "customer_wait_ms",
)
# Booked when a handled leg was resolved, and when the contact was closed for good.
RESOLVED = ("resolutions",)
CLOSED = ("closed",)
# Booked when the contact was last resolved.
RESOLVED_LAST = ("resolution_ms", "resolution_n", "resolution_business_ms")
# Booked when the contact was first resolved.
RESOLVED_FIRST = (
    "ever_resolved",
    "ever_reopened",
    "first_resolution_ms",
    "first_resolution_n",
    "first_resolution_business_ms",
)

# By the moment they are booked at, in the words of kpis.catalogue.kpi.Booked.
BOOKED_AT: dict[str, tuple[str, ...]] = {
    "entered": ENTERED,
    "handled": HANDLED,
    "answered": ANSWERED + OFFER_MEASURES,
    "left": LEFT,
    "started": STARTED,
    "first entered": FIRST_ENTERED,
    "ended": ENDED + WRITTEN,
    "resolved": RESOLVED,
    "closed": CLOSED,
    "last resolved": RESOLVED_LAST,
    "first resolved": RESOLVED_FIRST,
}
LEG_MEASURES = (*ENTERED, *HANDLED, *ANSWERED, *LEFT, *RESOLVED)
CONTACT_MEASURES = (*STARTED, *FIRST_ENTERED, *ENDED, *WRITTEN, *CLOSED, *RESOLVED_LAST, *RESOLVED_FIRST)
MEASURES: tuple[str, ...] = LEG_MEASURES + CONTACT_MEASURES + OFFER_MEASURES
INDEX = {name: position for position, name in enumerate(MEASURES)}
ZERO: tuple[int, ...] = (0,) * len(MEASURES)


class Window(NamedTuple):
    """Key of a tally: the minute it began (UTC ms), the channel, and the queue ("" for none)."""

    start: int
    channel: str
    queue: str


Tally = tuple[int, ...]  # one integer per name in MEASURES
Contribution = dict[Window, Tally]
Additions = dict[Window, dict[str, int]]  # the same by name, without zeros
Booking = tuple[Window, dict[str, int]]


def minute(time_ms: int) -> int:
    """Start of the minute that holds a time."""
    return time_ms - time_ms % MINUTE_MS


def by_length(wait_ms: int, answered: int, abandoned: int) -> dict[str, int]:
    """The one measure of its length that a known wait is counted in, if it is not beyond them all."""
    place = bisect_left(WAIT_LIMITS_MS, wait_ms)
    if place == len(WAIT_LIMITS_MS) or not (answered or abandoned):
        return {}
    return {f"{'answered' if answered else 'abandoned'}_wait_{WAIT_LIMITS_S[place]}": 1}


def entered(leg: LegFact, rules: Rules) -> Booking:
    """What a leg adds to the window it entered its queue in."""
    known, wait = leg.queue_ms is not None, leg.queue_ms or 0
    answered, abandoned = leg.answered if known else 0, leg.abandoned if known else 0
    business, target = leg.queue_business_ms or 0, target_ms(rules, leg.channel, leg.queue, leg.entered_at)
    within = int(known and wait <= target)
    short = int(is_short(leg, rules))
    return Window(minute(leg.entered_at), leg.channel, leg.queue), {
        **by_length(wait, answered, abandoned),
        "offered": leg.offered,
        "answered": leg.answered,
        "abandoned": leg.abandoned,
        "short_abandoned": short,
        "flow_out": leg.flow_out,
        "waiting": leg.waiting,
        "wait_ms": wait * answered,
        "wait_n": answered,
        "abandon_wait_ms": wait * abandoned,
        "abandon_wait_n": abandoned,
        "queue_ms": wait,
        "queue_n": int(known),
        "answered_in_target": answered * within,
        "abandoned_in_target": abandoned * within,
        "flow_out_in_target": leg.flow_out * within,
        "service_level_n": answered + abandoned * (1 - short),
        "wait_business_ms": business * answered,
        "queue_business_ms": business,
        "answered_in_target_business": answered * int(business <= target),
    }


def responded(leg: LegFact, rules: Rules) -> Booking:
    """What the leg that replied first to a customer adds, to the window it entered its queue in or began."""
    return Window(minute(leg.entered_at), leg.channel, leg.queue), response_amounts(leg, rules)


def handled(leg: LegFact) -> Booking | None:
    """What a leg adds to the window its agent finished it in; nothing while it is unfinished."""
    if not leg.handled or leg.handled_at is None:
        return None
    known = int(leg.handle_ms is not None)
    return Window(minute(leg.handled_at), leg.channel, leg.queue), {
        "handled": 1,
        "handle_n": known,
        "handle_ms": leg.handle_ms or 0,
        "talk_ms": (leg.talk_ms or 0) * known,
        "acw_ms": leg.acw_ms * known,
        "hold_ms": leg.hold_ms,
        "hold_n": leg.hold_n,
        "held": int(leg.hold_n > 0),
        "transferred_out": leg.transferred_out,
    }


def activity(leg: LegFact) -> list[Booking]:
    """What a leg adds to the windows it was answered, abandoned or resolved in."""
    bookings: list[Booking] = []
    if leg.answered and leg.answered_at is not None:
        bookings.append((Window(minute(leg.answered_at), leg.channel, leg.queue), {"answers": 1}))
    if leg.abandoned and leg.ended_at is not None:
        bookings.append((Window(minute(leg.ended_at), leg.channel, leg.queue), {"abandonments": 1}))
    if leg.handled and leg.end_type == "resolved" and leg.ended_at is not None:
        bookings.append((Window(minute(leg.ended_at), leg.channel, leg.queue), {"resolutions": 1}))
    return bookings


def offered(offer: OfferFact) -> Booking:
    """What an offer to an agent adds to the window in which it was over."""
    return Window(minute(offer.ended_at), offer.channel, offer.queue), offer_amounts(offer)


def contact_bookings(contact: ContactFact, legs: tuple[LegFact, ...], rules: Rules) -> list[Booking]:
    """What a contact as a whole adds to the windows of its start, queue, end and resolutions."""
    return [
        (Window(minute(time_ms), contact.channel, queue), amounts)
        for time_ms, queue, amounts in contact_amounts(contact, legs, rules)
    ]


def additions(facts: Facts, rules: Rules) -> Additions:
    """All that a contact adds to the KPI windows: window -> measures by name, without zeros."""
    bookings = [entered(leg, rules) for leg in facts.legs if leg.offered]
    bookings += [responded(leg, rules) for leg in facts.legs if leg.first_reply]
    bookings += [booking for leg in facts.legs if (booking := handled(leg)) is not None]
    bookings += [booking for leg in facts.legs for booking in activity(leg)]
    bookings += [offered(offer) for offer in facts.offers]
    if facts.contact is not None:
        bookings += contact_bookings(facts.contact, facts.legs, rules)
    sums: Additions = {}
    for window, amounts in bookings:
        row = sums.get(window)
        if row is None:
            sums[window] = {name: amount for name, amount in amounts.items() if amount}
            continue
        for name, amount in amounts.items():
            if amount:
                row[name] = row.get(name, 0) + amount
    return {window: row for window, row in sums.items() if row}


def dense(amounts: Mapping[str, int]) -> Tally:
    """A tally from measures by name; those that are not there are 0."""
    return tuple(amounts.get(name, 0) for name in MEASURES)


def contribution(facts: Facts, rules: Rules) -> Contribution:
    """All that a contact adds to the KPI windows, as tallies."""
    return {window: dense(row) for window, row in additions(facts, rules).items()}


def add(left: Tally, right: Tally) -> Tally:
    """What two contributions to one window come to."""
    return tuple(map(operator.add, left, right))  # three times as fast as with zip
