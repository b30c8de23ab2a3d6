"""A call record -> the events that it tells."""

import hashlib
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from adapters.call_records.layout import Layout, Words
from adapters.kit.outcomes import InvalidInput
from adapters.kit.payload_events import Contact
from adapters.kit.payload_fields import EPOCH, MILLISECOND, hashed
from schemas.events import Event

Row = dict[str, str]
CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d{1,2})(?:\.\d+)?", re.ASCII)
SECONDS = re.compile(r"\d{1,7}(?:\.\d{1,6})?", re.ASCII)
SOURCE = "call_records"
EXTENSION = re.compile(r"^Ext\.")


def time_ms(row: Row, column: str | None, layout: Layout, zone: ZoneInfo) -> int | None:
    """A time in UTC milliseconds; None where there is none. Raises InvalidInput.

    An hour that a clock shows twice is the first of the two.
    """
    text = row.get(column or "", "").strip()
    if not text:
        return None
    try:
        local = datetime.strptime(text, layout.time)
        found = (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput("bad_time", f"{column} is no time like {layout.time}") from None
    return (found - EPOCH) // MILLISECOND


def duration_ms(row: Row, column: str | None) -> int | None:
    """A duration in milliseconds; None where there is none. Raises InvalidInput."""
    text = row.get(column or "", "").strip()
    if not text:
        return None
    if SECONDS.fullmatch(text):
        return int(float(text) * 1000)
    clock = CLOCK.fullmatch(text)
    if clock is None:
        raise InvalidInput("bad_duration", f"{column} is neither seconds nor h:mm:ss")
    hours, minutes, seconds = (int(each or 0) for each in clock.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000


def value(row: Row, column: str | None, until: str = "") -> str | None:
    """A value without what stands behind `until`, and without 3CX's "Ext."; None where it is empty."""
    text = row.get(column or "", "").strip()
    text = EXTENSION.sub("", text.partition(until)[0] if until else text)
    return text or None


def holds(words: Words | None, row: Row, otherwise: bool = False) -> bool:
    """Does a condition hold of a row? Without one, `otherwise`."""
    return otherwise if words is None else words.hold(row)


def identified(row: Row, layout: Layout) -> str:
    """The id of the call; one of several columns is hashed, for a customer may stand in them."""
    parts = [row.get(column, "").strip() for column in layout.id]
    if not any(parts):
        raise InvalidInput("missing_field", f"{', '.join(layout.id)} is empty")
    if len(parts) == 1:
        return f"{layout.name}-{parts[0]}"
    return f"{layout.name}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"


def row_events(row: Row, layout: Layout, zone: ZoneInfo, secret: bytes) -> tuple[Event, ...]:
    """The events of one record; none where the layout leaves it out. Raises InvalidInput."""
    if holds(layout.skip_if, row):
        return ()
    contact = Contact(identified(row, layout), SOURCE, "voice")
    started = time_ms(row, layout.started, layout, zone)
    if started is None:
        raise InvalidInput("missing_field", f"{layout.started} is empty")
    outbound = holds(layout.outbound_if, row)
    customer = layout.outbound_customer if outbound else layout.customer
    key = hashed([value(row, customer)], secret)
    direction = "outbound" if outbound else "inbound"
    found = [contact.event("contact_started", started, "started", customer_key=key, direction=direction)]
    queue = value(row, layout.queue, layout.queue_until)
    if queue and not outbound and holds(layout.queued_if, row, otherwise=True):
        found.append(contact.event("contact_queued", started, "queued", queue=queue))
    else:
        queue = None
    return (*found, *outcome(contact, row, layout, zone, started, queue, outbound))


def agent_of(row: Row, layout: Layout, outbound: bool) -> str | None:
    """Who called, or took the call; of a call to a telephone whose it is."""
    if outbound:
        return value(row, layout.outbound_agent)
    direct = value(row, layout.direct_agent) if holds(layout.direct_if, row) else None
    return value(row, layout.agent, layout.agent_until) or direct


def ended_by(row: Row, layout: Layout, outbound: bool) -> str | None:
    """Who hung up; None where the record does not say it."""
    by_agent, by_customer = layout.by_agent, layout.by_customer
    if outbound and layout.outbound_by_agent is not None:
        by_agent, by_customer = layout.outbound_by_agent, layout.by_agent
    return "agent" if holds(by_agent, row) else "customer" if holds(by_customer, row) else None


def outcome(
    contact: Contact,
    row: Row,
    layout: Layout,
    zone: ZoneInfo,
    started: int,
    queue: str | None,
    outbound: bool,
) -> list[Event]:
    """Answer and end of a call."""
    agent = agent_of(row, layout, outbound)
    wait, talk = duration_ms(row, layout.wait), duration_ms(row, layout.talk)
    answered, ended = (time_ms(row, column, layout, zone) for column in (layout.answered, layout.ended))
    if layout.answered is None and agent and (talk or ended is not None):
        answered = started + (wait or 0)
    talked = answered is not None and holds(layout.answered_if, row, otherwise=True)
    talked = talked and (agent is not None or layout.agent is None or outbound)
    if ended is None:
        ended = started + (wait or 0) + ((talk or 0) if talked else 0)
    by = ended_by(row, layout, outbound)
    found = missed(contact, row, layout, ended)
    if not talked and queue and holds(layout.flowed_if, row):
        return [*found, contact.event("contact_transferred", ended, "end", kind="queue_flow")]
    if not talked and not outbound:
        place = "queue" if queue else "ring"
        by = "system" if by == "agent" else by or "customer"
        return [*found, contact.event("contact_abandoned", ended, "end", place=place, by=by)]
    if talked and answered is not None and not holds(layout.answer_unknown_if, row):
        found.append(contact.event("contact_answered", answered, "answered", agent=agent, queue=queue))
    if talked and holds(layout.transferred_if, row):
        return [*found, contact.event("contact_transferred", ended, "end", kind="cold")]
    by = by or "agent" if talked else "system"  # an agent whom nobody answered resolved nothing
    return [*found, contact.event("contact_resolved", ended, "end", outcome="unknown", by=by)]


def missed(contact: Contact, row: Row, layout: Layout, ended: int) -> list[Event]:
    """Agents who were rung and did not answer."""
    names = row.get(layout.missed or "", "").split(layout.missed_separator)
    agents = dict.fromkeys(filter(None, (EXTENSION.sub("", name.strip()) for name in names)))
    return [
        contact.event("contact_offered", ended, f"missed-{agent}", agent=agent, outcome="missed")
        for agent in agents
    ]
