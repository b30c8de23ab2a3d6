"""KPIs of a world computed from its facts by brute force: what reading them from ClickHouse must equal."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from support.evaluate import quarters_at
from support.kpi_world import DIMENSIONS, Row, Stored, fcr_bookings

from kpis.agents.quarters import AGENT_MEASURES
from kpis.agents.states import state_measures, stints_of
from kpis.catalogue.figure import Longest, LongestWaitNow, PeakHour, Quantile
from kpis.catalogue.kpi import Kpi, applicable, shown, total
from kpis.facts import LegFact
from kpis.rules import Rules, stale_after_ms
from kpis.tallies.backlog import backlog_measures
from kpis.tallies.callbacks import callback_measures, request_of
from kpis.tallies.fcr import is_final
from kpis.tallies.live import is_waiting, live_measures
from kpis.tallies.peak_hour import peak_hour
from kpis.tallies.surveys import survey_measures
from kpis.tallies.windows import activity, contact_bookings, entered, handled, offered, responded
from reports.kpi.answer import Question
from schemas.time_units import QUARTER_MS
from sql.periods import edges

Dims = dict[str, str]

# What was booked: when, under which dimensions, and how much. The time decides about the period.


def dims_of(fact: Any, **other: str) -> Dims:
    own = getattr(fact, "dimensions", {})
    return defaultdict(str, {**own, **{name: getattr(fact, name, "") for name in DIMENSIONS}, **other})


def still_waits(leg: LegFact, as_of: int, rules: Rules) -> bool:
    """Waits, and the stale limit has not passed since the minute in which it entered was over."""
    over = leg.entered_at - leg.entered_at % 60_000 + 60_000
    return bool(leg.waiting) and as_of - over < stale_after_ms(rules, leg.channel)


def window_bookings(found: Stored, as_of: int) -> Iterator[tuple[int, Dims, Row]]:
    rules = found.world.rules
    for facts in found.facts:
        for leg in facts.legs:
            bookings = [entered(leg, rules)] if leg.offered else []
            bookings += [responded(leg, rules)] if leg.first_reply else []
            bookings += [booking for booking in (handled(leg),) if booking]
            for window, amounts in bookings + activity(leg):
                waits = {"still_waiting": int(still_waits(leg, as_of, rules))} if "waiting" in amounts else {}
                yield window.start, dims_of(leg), amounts | waits
        for offer in facts.offers:
            window, amounts = offered(offer)
            yield window.start, dims_of(offer), amounts
        if facts.contact:
            for window, amounts in contact_bookings(facts.contact, facts.legs, rules):
                yield window.start, dims_of(facts.contact, queue=window.queue), amounts


def bookings_of(kpi: Kpi, found: Stored, as_of: int) -> Iterator[tuple[int, Dims, Row]]:
    """All that a quotient is made of."""
    rules = found.world.rules
    if kpi.table == "windows":
        for at, dims, amounts in window_bookings(found, as_of):
            if applicable(kpi, dims["channel"], rules.async_channels):
                yield at, dims, amounts
    elif kpi.table == "fcr":
        own = {one.contact.contact_id: one.contact.dimensions for one in found.facts if one.contact}
        for fact in found.fcr:
            dims = dims_of(fact, **own[fact.contact_id])
            for window, days, amounts in fcr_bookings(fact, rules):
                mature = is_final(window.start, days, as_of)
                wanted = kpi.maturity == "all" or mature == (kpi.maturity == "final")
                if wanted and days == kpi.days_at(window.start):
                    yield window.start, dims, amounts | {"open": (1 - mature) * amounts["anchors"]}
    elif kpi.table == "surveys":
        for survey in found.surveys:
            at = survey.responded_at if kpi.booked == "responded" else survey.booked_at
            yield at, dims_of(survey), survey_measures(survey)
    elif kpi.table == "callbacks":
        yield from callback_requests(found)
    elif kpi.table == "states":
        yield from state_bookings(found, as_of)
    elif kpi.table == "backlog":
        for one in found.facts:
            if one.contact:
                amounts = backlog_measures(one.contact, one.legs, as_of, rules)
                yield 0, dims_of(one.contact), amounts
    elif kpi.table == "agents":
        for quarter, is_open in quarters_at(found.world, as_of):
            amounts = {name: getattr(quarter, name) for name in AGENT_MEASURES}
            yield quarter.window_start, dims_of(quarter), amounts | {"open": int(is_open)}
    else:
        for leg in found.legs:
            if leg.entered_at <= as_of:
                at = 0 if kpi.is_state else leg.entered_at
                yield at, dims_of(leg), live_measures(leg, as_of, rules)


def state_bookings(found: Stored, as_of: int) -> Iterator[tuple[int, Dims, Row]]:
    for agent in sorted({state.agent for state in found.world.states}):
        own = [state for state in found.world.states if state.agent == agent]
        for stint in stints_of(own, as_of, found.world.rules):
            for start, amounts in state_measures(stint):
                yield start, dims_of(stint), amounts


def callback_requests(found: Stored) -> Iterator[tuple[int, Dims, Row]]:
    calls = [one for one in found.facts if one.contact and one.contact.callback_of]
    for one in found.facts:
        request = request_of(one.legs)
        if request is not None:
            own = [call for call in calls if call.contact and call.contact.callback_of == request.contact_id]
            yield request.entered_at, dims_of(request), callback_measures(request, own, found.world.rules)


def figures_of(kpi: Kpi, found: Stored, as_of: int) -> list[tuple[int, Dims, int]]:
    """All single values that an extreme, a quantile or a mean is made of."""
    match kpi.figure:
        case LongestWaitNow():
            waiting = [leg for leg in found.legs if is_waiting(leg, as_of, found.world.rules)]
            return [(0, dims_of(leg), as_of - leg.entered_at) for leg in waiting]
        case Longest("hold_max_ms") | Quantile("hold_max_ms"):
            return [(leg.handled_at, dims_of(leg), leg.hold_max_ms) for leg in found.legs
                    if leg.hold_n and leg.handled_at is not None]  # fmt: skip
        case Longest("handle_ms") | Quantile("handle_ms"):
            return [(leg.handled_at, dims_of(leg), leg.handle_ms) for leg in found.legs
                    if leg.handled_at is not None and leg.handle_ms is not None]  # fmt: skip
        case Longest(duration) | Quantile(duration):
            answered_only = duration == "wait_ms"
            return [(leg.entered_at, dims_of(leg), leg.queue_ms) for leg in found.legs
                    if leg.queue_ms is not None and (leg.answered or not answered_only)]  # fmt: skip
    raise AssertionError(f"{kpi.figure} is not computed here")


class Expected:
    """Values by period and dimensions, by brute force."""

    def __init__(self, question: Question, found: Stored) -> None:
        self.question, self.found = question, found
        self.edges = edges(question.from_ms, question.to_ms, question.every, ZoneInfo(question.zone))

    def key(self, at: int, dims: Dims) -> tuple[Any, ...] | None:
        if not self.question.from_ms <= at < self.question.to_ms:
            return None
        place = bisect_right(self.edges, at) - 1
        return (self.edges[place], self.edges[place + 1], *(dims[name] for name in self.question.by))

    def grouped(self, booked: Iterable[tuple[int, Dims, Any]]) -> dict[tuple[Any, ...], list[Any]]:
        groups = defaultdict(list)
        for at, dims, amount in booked:
            key = self.key(at - at % 60_000, dims)
            if key:
                groups[key].append(amount)
        return groups

    def values(self, kpi: Kpi) -> dict[tuple[Any, ...], Row]:
        if isinstance(kpi.figure, PeakHour):
            return self.peaks(kpi)
        if kpi.figure is not None:
            found = figures_of(kpi, self.found, self.question.now_ms)
            if kpi.is_state:  # of a moment, whatever the range
                found = [(self.question.from_ms, dims, value) for _, dims, value in found]
            groups = self.grouped(found)
            return {key: self.figure(kpi, key, sorted(values)) for key, values in groups.items()}
        bookings = bookings_of(kpi, self.found, self.question.now_ms)
        if kpi.is_state:  # of a moment, whatever the range
            bookings = ((self.question.from_ms, dims, amounts) for _, dims, amounts in bookings)
        groups = self.grouped(bookings)
        return {key: self.quotient(kpi, amounts) for key, amounts in groups.items()}

    def quotient(self, kpi: Kpi, amounts: list[Row]) -> Row:
        sums: dict[str, int] = defaultdict(int)
        for row in amounts:
            for name, amount in row.items():
                sums[name] += amount
        num, den = shown(kpi, total(kpi.num, sums), total(kpi.den, sums))
        n = sums.get(kpi.n, 0) if kpi.n else den if kpi.den else num
        value = (num / den if den else None) if kpi.den else num
        final = True
        if kpi.table == "windows" and kpi.booked == "entered":
            final = not sums.get("still_waiting")
        elif kpi.table == "windows" and kpi.booked == "first entered":
            final = not sums.get("contact_waiting")
        elif kpi.table == "states":
            final = not sums.get("open_states")
        elif kpi.table == "live" and not kpi.is_state:
            final = not sums.get("waiting_now")
        elif kpi.table == "agents" or (kpi.table == "fcr" and kpi.booked == "ended"):
            final = not sums.get("open")
        return {"value": value, "unit": kpi.unit, "n": n, "num": num, "den": den, "final": final}

    def figure(self, kpi: Kpi, key: tuple[Any, ...], values: list[int]) -> Row:
        n = len(values)
        percent = kpi.figure.percent if isinstance(kpi.figure, Quantile) else 100
        found = values[-(-percent * n // 100) - 1]
        final = True
        if kpi.booked == "entered":
            as_of, rules = self.question.now_ms, self.found.world.rules
            waiting = [
                (leg.entered_at, dims_of(leg), 1) for leg in self.found.legs if still_waits(leg, as_of, rules)
            ]
            final = key not in self.grouped(waiting)
        return {"value": found, "unit": "ms", "n": n, "num": found, "den": 1, "final": final}

    def peaks(self, kpi: Kpi) -> dict[tuple[Any, ...], Row]:
        started = [
            (c.started_at, dims_of(c, queue=c.entry_queue), c.started_at)
            for c in self.found.contacts
            if c.consult_of is None
        ]
        peaks = {}
        for key, times in self.grouped(started).items():
            first = -(-key[0] // QUARTER_MS)
            counts = [0] * (key[1] // QUARTER_MS - first)
            for at in times:
                if 0 <= at // QUARTER_MS - first < len(counts):
                    counts[at // QUARTER_MS - first] += 1
            peak = peak_hour(counts)
            if peak and peak[1]:
                begin = (first + peak[0]) * QUARTER_MS
                local = datetime.fromtimestamp(begin / 1000, ZoneInfo(self.question.zone)).isoformat()
                peaks[key] = {
                    "value": local,
                    "unit": "hour",
                    "n": peak[1],
                    "num": begin,
                    "den": 1,
                    "final": True,
                }
        return peaks
