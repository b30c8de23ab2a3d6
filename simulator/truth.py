"""What the KPIs must come to, counted while things happen and not from the events that tell of them.

Names and booking times are those of the KPI windows (docs/facts.md section 6): (minute, channel, queue).
"""

from collections import defaultdict
from typing import NamedTuple

from schemas.time_units import MINUTE_MS
from simulator.contact import Contact, Leg
from simulator.shape import Thresholds

LIMITS_S = (10, 15, 20, 30, 45, 60, 90, 120, 180, 300)


def response_length(first_ms: int) -> dict[str, int]:
    """In which length of first responses one is counted."""
    limits = (30, 60, 120, 300, 900, 1_800, 3_600, 14_400, 28_800, 86_400)
    within = [limit for limit in limits if first_ms <= limit * 1_000]
    return {f"first_response_{within[0]}": 1} if within else {}


def by_length(what: str, wait_ms: int) -> dict[str, int]:
    """The measure of the least limit that a wait does not exceed."""
    return {
        f"{what}_wait_{limit}": 1 for limit in [limit for limit in LIMITS_S if wait_ms <= limit * 1000][:1]
    }


class Window(NamedTuple):
    """A minute (UTC ms of its beginning) of a channel and a queue ("" for none)."""

    start: int
    channel: str
    queue: str


class Truth:
    """The running account of a simulation."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._short_ms = thresholds.short_abandon_ms
        self._target_ms = defaultdict(lambda: thresholds.target_ms, thresholds.target_by_channel_ms)
        self._windows: dict[Window, dict[str, int]] = {}

    def windows(self) -> dict[Window, dict[str, int]]:
        """All windows with their measures; measures of 0 and windows of nothing are left out."""
        rows = {
            window: {name: amount for name, amount in amounts.items() if amount}
            for window, amounts in sorted(self._windows.items())
        }
        return {window: amounts for window, amounts in rows.items() if amounts}

    def rows(self) -> list[dict[str, object]]:
        """The windows as JSON-able rows, in order."""
        return [
            {"window_start": w.start, "channel": w.channel, "queue": w.queue, "measures": amounts}
            for w, amounts in self.windows().items()
        ]

    def totals(self) -> dict[str, int]:
        """What each measure comes to over all windows."""
        sums: dict[str, int] = defaultdict(int)
        for amounts in self._windows.values():
            for name, amount in amounts.items():
                sums[name] += amount
        return {name: amount for name, amount in sums.items() if amount}

    def book(self, time_ms: int, channel: str, queue: str, **amounts: int) -> None:
        """Add amounts to the window of a time."""
        window = Window(time_ms - time_ms % MINUTE_MS, channel, queue)
        row = self._windows.setdefault(window, {})
        for name, amount in amounts.items():
            row[name] = row.get(name, 0) + amount

    def _leave(self, leg: Leg, waited_ms: int, **amounts: int) -> None:
        """The leg is out of the queue; all is booked when it had joined it."""
        assert leg.queued_at is not None
        contact = leg.contact
        contact.queue_ms, contact.waits = contact.queue_ms + waited_ms, contact.waits + 1
        if not contact.reached:
            contact.waited_ms += waited_ms
        self.book(
            leg.queued_at,
            leg.contact.channel,
            leg.queue,
            waiting=-1,
            queue_ms=waited_ms,
            queue_business_ms=waited_ms,  # it is open at any time
            queue_n=1,
            **amounts,
        )

    def queued(self, leg: Leg, now: int) -> None:
        """A leg joined a queue."""
        self.book(now, leg.contact.channel, leg.queue, offered=1, waiting=1)
        if leg.contact.first_queued_at is None:
            leg.contact.first_queued_at = now

    def answered(self, leg: Leg, wait_ms: int) -> None:
        """An agent took a leg out of the queue."""
        self._leave(
            leg,
            wait_ms,
            answered=1,
            wait_ms=wait_ms,
            wait_n=1,
            wait_business_ms=wait_ms,
            answered_in_target=int(wait_ms <= self._target_ms[leg.contact.channel]),
            answered_in_target_business=int(wait_ms <= self._target_ms[leg.contact.channel]),
            service_level_n=1,
            **by_length("answered", wait_ms),
        )
        self._first_response(leg, wait_ms)
        self._reply(leg.contact, leg.queued_at + wait_ms if leg.queued_at is not None else 0)
        leg.contact.reached = True
        self._at_the_end(leg, wait_ms, answers=1)

    def _first_response(self, leg: Leg, wait_ms: int) -> None:
        """A customer who writes has the first reply; nothing here is opened again before one."""
        contact = leg.contact
        if contact.channel == "voice" or contact.reached or leg.queued_at is None:
            return
        since_start = leg.queued_at + wait_ms - contact.started_at
        self.book(
            leg.queued_at,
            contact.channel,
            leg.queue,
            first_response_ms=since_start,
            first_response_n=1,
            first_response_created_ms=since_start,
            first_response_created_n=1,
            first_response_queued_ms=wait_ms,
            first_response_business_ms=wait_ms,
            first_response_queued_n=1,
            first_response_created_business_ms=since_start,
            first_response_in_target=int(since_start <= self._target_ms[contact.channel]),
            **response_length(since_start),
        )

    def _reply(self, contact: Contact, now: int) -> None:
        """An agent writes to the customer, who may have waited for it."""
        if contact.channel == "voice":
            return
        since = contact.waits_since if contact.replies else contact.started_at
        contact.replies += 1
        if since >= 0:
            contact.customer_wait_ms += now - since
            if contact.replies > 1:
                contact.reply_ms, contact.reply_n = contact.reply_ms + now - since, contact.reply_n + 1
        contact.waits_since = -1

    def _at_the_end(self, leg: Leg, waited_ms: int, **amounts: int) -> None:
        """The same by activity: booked when the wait was over."""
        assert leg.queued_at is not None
        self.book(leg.queued_at + waited_ms, leg.contact.channel, leg.queue, **amounts)

    def abandoned(self, leg: Leg, wait_ms: int) -> None:
        """The customer left the queue."""
        short = int(wait_ms <= self._short_ms)
        leg.contact.abandoned = 1 - leg.contact.handled
        self._leave(
            leg,
            wait_ms,
            abandoned=1,
            short_abandoned=short,
            abandon_wait_ms=wait_ms,
            abandon_wait_n=1,
            abandoned_in_target=int(wait_ms <= self._target_ms[leg.contact.channel]),
            service_level_n=1 - short,
            **by_length("abandoned", wait_ms),
        )
        self._at_the_end(leg, wait_ms, abandonments=1)

    def flowed_out(self, leg: Leg, wait_ms: int) -> None:
        """The leg went elsewhere before an agent took it."""
        within = int(wait_ms <= self._target_ms[leg.contact.channel])
        self._leave(leg, wait_ms, flow_out=1, flow_out_in_target=within)

    def finished(self, leg: Leg, acw_ms: int) -> None:
        """The agent is done with a leg, after-contact work included."""
        hold_ms = sum(leg.holds_ms)
        handle_ms = leg.talk_ms + hold_ms + acw_ms
        leg.contact.handle_ms += handle_ms
        self.book(
            leg.ended_at + acw_ms,
            leg.contact.channel,
            leg.queue,
            handled=1,
            handle_n=1,
            handle_ms=handle_ms,
            talk_ms=leg.talk_ms,
            acw_ms=acw_ms,
            hold_ms=hold_ms,
            hold_n=len(leg.holds_ms),
            held=int(bool(leg.holds_ms)),
            transferred_out=leg.transferred_out,
        )
        if leg.resolved:
            self.book(leg.ended_at, leg.contact.channel, leg.queue, resolutions=1)

    def contact(self, contact: Contact) -> None:
        """Nothing more can happen to a contact, or the simulation was cut off here."""
        channel, queue = contact.channel, contact.owner_queue or contact.entry_queue
        inbound = int(contact.direction == "inbound")
        self.book(
            contact.started_at,
            channel,
            contact.entry_queue,
            contacts=1,
            contacts_inbound=inbound,
            contacts_outbound=1 - inbound,
            contacts_ivr=int(contact.entry == "ivr"),
            contacts_ivr_abandoned=contact.ivr_abandoned if contact.entry == "ivr" else 0,
            ivr_abandoned=contact.ivr_abandoned,
        )
        if contact.first_queued_at is not None:
            self._queues(contact, contact.first_queued_at)
        self._first_resolution(contact, queue)
        if contact.ended_at is None:
            return
        self.book(
            contact.ended_at,
            channel,
            queue,
            ended=1,
            ended_handled=contact.handled,
            contact_handle_ms=contact.handle_ms,
            ended_transferred=int(contact.transfers > 0),
            ended_bot=int(contact.entry == "bot"),
            contained=contact.contained,
            ended_judgeable=contact.handled * inbound,
            ended_known=contact.handled * inbound,  # simulated customers are all known
        )
        if contact.channel != "voice" and contact.handled and inbound:
            self._written(contact, contact.ended_at, queue)
        if contact.solved:
            resolution_ms = contact.ended_at - contact.started_at
            resolution = {
                "resolution_ms": resolution_ms,
                "resolution_n": 1,
                "resolution_business_ms": resolution_ms,
            }
            self.book(contact.ended_at, channel, queue, **resolution)

    def _first_resolution(self, contact: Contact, queue: str) -> None:
        """When it was first resolved, if it ever was."""
        if contact.first_resolved_at is None:
            return
        took_ms = contact.first_resolved_at - contact.started_at
        self.book(
            contact.first_resolved_at,
            contact.channel,
            queue,
            ever_resolved=1,
            ever_reopened=int(contact.reopens > 0),
            first_resolution_ms=took_ms,
            first_resolution_n=1,
            first_resolution_business_ms=took_ms,
        )

    def _written(self, contact: Contact, ended_at: int, queue: str) -> None:
        """The replies of a contact that is over."""
        left = ended_at - contact.waits_since if contact.waits_since >= 0 else 0
        solved = int(contact.solved)
        self.book(
            ended_at,
            contact.channel,
            queue,
            written=1,
            written_solved=solved,
            one_touch=solved * int(contact.replies < 2),
            replies=contact.replies,
            reply_ms=contact.reply_ms,
            reply_n=contact.reply_n,
            customer_wait_ms=contact.customer_wait_ms + left,
        )

    def _queues(self, contact: Contact, first_queued_at: int) -> None:
        """The contact over all its queues."""
        wait_ms, abandoned = contact.waited_ms, contact.abandoned
        short = abandoned * int(wait_ms <= self._short_ms)
        self.book(
            first_queued_at,
            contact.channel,
            contact.entry_queue,
            contact_offered=1,
            contact_answered=contact.handled,
            contact_abandoned=abandoned,
            contact_short_abandoned=short,
            contact_waiting=int(not contact.handled and contact.ended_at is None),
            contact_wait_ms=wait_ms * contact.handled,
            contact_wait_n=contact.handled,
            contact_abandon_wait_ms=wait_ms * abandoned,
            contact_abandon_wait_n=abandoned,
            contact_queue_ms=contact.queue_ms,
            contact_queue_n=int(contact.waits > 0),
            contact_in_target=contact.handled * int(wait_ms <= self._target_ms[contact.channel]),
            contact_service_level_n=contact.handled + abandoned - short,
        )
