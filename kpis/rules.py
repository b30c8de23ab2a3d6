"""The choices that vendors make differently, as one frozen, versioned value (docs/guide/rules.md).

Every published number depends on the events and on these rules, on nothing else.
"""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from kpis.business_hours import Calendar, business_ms
from schemas.time_units import DAY_MS, HOUR_MS, SECOND_MS


@dataclass(frozen=True, slots=True)
class FcrRules:
    """How repeat contacts are judged (docs/facts.md 8). The length of the window is in every KPI's name."""

    windows_days: tuple[int, ...] = (1, 3, 7, 14, 30)
    default_days: int = 7
    match_reason: bool = True  # only a contact for the same reason is a repeat
    cross_channel: bool = True  # a contact on another channel is a repeat as well
    begin: Literal["started", "entered"] = "started"  # from when a later contact counts
    evidence: Literal["any", "handled"] = "any"  # is a contact that nobody answered a repeat?
    anchors: Literal["handled", "closed"] = "handled"  # is one that ended without any agent judged?
    overlapping: bool = True  # is one that began before the other's end a repeat?
    min_gap_ms: int = 0  # one that begins sooner after the other's beginning is that one forwarded, no repeat
    # default_days from moments on, for what is booked since: (from_ms, days), by from_ms. All lengths are
    # tallied side by side, so this changes which is read, and no tally.
    dated_days: tuple[tuple[int, int], ...] = field(default=(), repr=False)


class Limits(Protocol):
    """The limits that may be others from a date on."""

    @property
    def service_level_ms(self) -> dict[str, int]:
        """T by channel."""

    @property
    def service_level_default_ms(self) -> int:
        """T of any other channel."""

    @property
    def service_level_by_queue_ms(self) -> dict[str, int]:
        """T of a queue, whatever the channel."""

    @property
    def short_abandon_ms(self) -> int:
        """Abandoned as soon as this: too soon for any agent."""


@dataclass(frozen=True, slots=True)
class DatedLimits:
    """Limits from a moment on, until the next ones. What they do not change is in them as it was before.

    The moment of a leg or contact is when it entered its queue, under which it is booked (ADR 0022).
    """

    from_ms: int
    service_level_ms: dict[str, int]
    service_level_default_ms: int
    service_level_by_queue_ms: dict[str, int]
    short_abandon_ms: int


@dataclass(frozen=True, slots=True)
class Rules:
    """How events are counted. Thresholds are inclusive: answered after exactly T is within T.

    `version` is that of our code: raise it when the same events and settings give other numbers than before.
    It is in no published value. It is part of the digest of the rules in each partition's marker, so that a
    worker counts everything anew where that is another (streams/commit/unfinished.py), and
    docs/reference/kpis.md names it.
    """

    version: str = "5"
    service_level_ms: dict[str, int] = field(
        default_factory=lambda: {
            "voice": 20 * SECOND_MS,
            "chat": 60 * SECOND_MS,
            "email": 4 * HOUR_MS,
            "messaging": 4 * HOUR_MS,
        }
    )
    service_level_default_ms: int = 20 * SECOND_MS
    service_level_by_queue_ms: dict[str, int] = field(default_factory=dict)
    short_abandon_ms: int = 5 * SECOND_MS
    skew_tolerance_ms: int = 2 * SECOND_MS
    future_tolerance_ms: int = 300 * SECOND_MS
    async_channels: tuple[str, ...] = ("email", "messaging")
    stale_ms: int = 12 * HOUR_MS
    stale_async_ms: int = 30 * DAY_MS
    survey_late_ms: int = 30 * DAY_MS
    agent_state_max_ms: int = DAY_MS
    acw_stale_ms: int = 5 * 60 * SECOND_MS
    # So many events of a contact count, those with the smallest event_ids. 1,500 of the longest that can be
    # written are 8 MB, compressed: a contact's events must fit into one record of at most 10 MB.
    contact_max_events: int = 1_500
    fcr: FcrRules = field(default_factory=FcrRules)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    calendar_by_queue: dict[str, str] = field(default_factory=dict)
    calendar_default: str = ""  # of any other queue; "": served at any time
    # By from_ms. Not in repr, so that rules without any keep the digest that they had before there were some.
    dated: tuple[DatedLimits, ...] = field(default=(), repr=False)


DEFAULT_RULES = Rules()


def limits_at(rules: Rules, at_ms: int) -> Limits:
    """The limits that count for what entered its queue then."""
    for limits in reversed(rules.dated):
        if limits.from_ms <= at_ms:
            return limits
    return rules


def target_ms(rules: Rules, channel: str, queue: str, at_ms: int) -> int:
    """Service-level threshold T of a queue at a moment: its own, else its channel's, else the default."""
    limits = limits_at(rules, at_ms) if rules.dated else rules
    own = limits.service_level_by_queue_ms.get(queue)
    return own if own is not None else limits.service_level_ms.get(channel, limits.service_level_default_ms)


def calendar_of(rules: Rules, queue: str) -> Calendar | None:
    """Business hours of a queue: its own, else the default's; None where it is served at any time."""
    return rules.calendars.get(rules.calendar_by_queue.get(queue, rules.calendar_default))


def business_span(rules: Rules, queue: str, begin: int, length_ms: int | None) -> int | None:
    """What of a time lay within a queue's business hours; all of it where there is no calendar."""
    if not rules.calendars or not length_ms:
        return length_ms
    return business_ms(calendar_of(rules, queue), begin, begin + length_ms)


def is_async(rules: Rules, channel: str) -> bool:
    """E-mail and messaging: nobody waits on the line, so ASA and abandonment mean nothing there."""
    return channel in rules.async_channels


def stale_after_ms(rules: Rules, channel: str) -> int:
    """After this long without an event an open contact counts as incomplete, not as waiting or active."""
    return rules.stale_async_ms if is_async(rules, channel) else rules.stale_ms
