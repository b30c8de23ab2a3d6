"""What a contact as a whole adds to KPI windows: when, under which queue, how much (docs/facts.md 6)."""

from typing import TypeAlias

from kpis.facts import ContactFact, LegFact
from kpis.rules import Rules, business_span, limits_at, target_ms

Amounts: TypeAlias = tuple[int, str, dict[str, int]]  # time in UTC ms, queue, amounts by measure

# Why contacts are turned away, where that is counted apart.
REJECTIONS = ("closed", "full", "empty", "blocked")


def first_entered(contact: ContactFact, rules: Rules) -> Amounts:
    """What an offered contact adds where it first entered a queue; T is that of its first queue."""
    wait, answered, abandoned = contact.wait_ms or 0, contact.answered, contact.abandoned
    ended = contact.ended_at is not None
    if contact.wait_ms is None:
        known_answer = known_abandon = short = within = 0
    else:
        known_answer, known_abandon = answered, abandoned
        short = int(abandoned and wait <= limits_at(rules, contact.entered_at).short_abandon_ms)
        within = int(wait <= target_ms(rules, contact.channel, contact.entry_queue, contact.entered_at))
    return (
        contact.entered_at,
        contact.entry_queue,
        {
            "contact_offered": 1,
            "contact_answered": answered,
            "contact_abandoned": abandoned,
            "contact_short_abandoned": short,
            "contact_waiting": int(not answered and not ended),
            "contact_wait_ms": wait * known_answer,
            "contact_wait_n": known_answer,
            "contact_abandon_wait_ms": wait * known_abandon,
            "contact_abandon_wait_n": known_abandon,
            "contact_queue_ms": contact.queue_ms or 0,
            "contact_queue_n": int(contact.queue_ms is not None),
            "contact_in_target": known_answer * within,
            "contact_service_level_n": known_answer + known_abandon * (1 - short),
        },
    )


def is_solved(contact: ContactFact) -> bool:
    """Did the contact end by a resolution that is none of nothing?"""
    return contact.end_type == "resolved" and contact.end_detail != "unresolved"


def written(contact: ContactFact) -> dict[str, int]:
    """What the replies of a written contact add to the window it ended in."""
    solved = int(is_solved(contact))
    return {
        "written": 1,
        "written_solved": solved,
        "one_touch": solved * int(contact.agent_replies < 2),
        "replies": contact.agent_replies,
        "reply_ms": contact.reply_ms,
        "reply_n": contact.reply_n,
        "customer_wait_ms": contact.customer_wait_ms,
    }


def at_end(contact: ContactFact) -> dict[str, int]:
    """What a contact adds to the window it ended in."""
    inbound = contact.direction == "inbound"
    judgeable = int(contact.handled and inbound and contact.callback_of is None)
    ended = {
        "ended": 1,
        "ended_handled": contact.handled,
        "contact_handle_ms": contact.handle_ms or 0,
        "ended_transferred": int(contact.handled and contact.transfers > 0),
        "ended_bot": int(contact.entry == "bot"),
        "contained": int(contact.contained and contact.entry == "bot"),
        "ended_judgeable": judgeable,
        "ended_known": int(judgeable and contact.customer_key is not None),
    }
    if contact.handled and inbound and contact.channel != "voice":
        ended |= written(contact)
    return ended


def rejections(contact: ContactFact) -> dict[str, int]:
    """What a contact that was turned away adds."""
    cause = contact.end_detail if contact.end_type == "rejected" else ""
    return {"rejected": 1} | ({f"rejected_{cause}": 1} if cause in REJECTIONS else {})


def in_business(contact: ContactFact, length_ms: int | None, rules: Rules) -> int:
    """What of a time since the contact began lay within the business hours of its queue."""
    return business_span(rules, contact.queue, contact.started_at, length_ms) or 0


def contact_amounts(contact: ContactFact, legs: tuple[LegFact, ...], rules: Rules) -> list[Amounts]:
    """All that a contact as a whole adds.

    An agent's inquiry about another contact is none: only its legs were in queues and with agents.
    """
    if contact.consult_of is not None:
        return []
    inbound = int(contact.direction == "inbound")
    bookings: list[Amounts] = [
        (
            contact.started_at,
            contact.entry_queue,
            {
                "contacts": 1,
                "contacts_inbound": inbound,
                "contacts_outbound": 1 - inbound,
                "contacts_ivr": int(contact.entry == "ivr"),
                "contacts_ivr_abandoned": int(
                    contact.entry == "ivr" and any(leg.ivr_abandoned for leg in legs)
                ),
                "ivr_abandoned": sum(leg.ivr_abandoned for leg in legs),
            }
            | (rejections(contact) if contact.rejected else {}),
        )
    ]
    if contact.offered:
        bookings.append(first_entered(contact, rules))
    if contact.ended_at is not None:
        bookings.append((contact.ended_at, contact.queue, at_end(contact)))
    if contact.closed_at is not None:
        bookings.append((contact.closed_at, contact.queue, {"closed": 1}))
    if is_solved(contact) and contact.last_resolved_at is not None and contact.full_resolution_ms is not None:
        resolution = {
            "resolution_ms": contact.full_resolution_ms,
            "resolution_n": 1,
            "resolution_business_ms": in_business(contact, contact.full_resolution_ms, rules),
        }
        bookings.append((contact.last_resolved_at, contact.queue, resolution))
    if contact.first_resolved_at is not None:
        reopened = {
            "ever_resolved": 1,
            "ever_reopened": int(contact.reopens > 0),
            "first_resolution_ms": contact.first_resolution_ms or 0,
            "first_resolution_n": int(contact.first_resolution_ms is not None),
            "first_resolution_business_ms": in_business(contact, contact.first_resolution_ms, rules),
        }
        bookings.append((contact.first_resolved_at, contact.queue, reopened))
    return bookings
