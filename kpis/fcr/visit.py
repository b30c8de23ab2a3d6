"""First contact resolution: what it needs to know of a contact (docs/facts.md 8)."""

from collections.abc import Iterable

from kpis.facts import ContactFact, Facts, FcrFact
from kpis.frozen import frozen
from kpis.rules import FcrRules

GroupKey = tuple[str, str]  # reason, channel; "" where the rules do not look at it


@frozen
class Visit:
    """What first contact resolution needs to know of a contact whose customer is known."""

    customer_key: str
    contact_id: str
    channel: str
    queue: str
    agent: str
    team: str
    reason: str
    started_at: int
    entered_at: int
    ended_at: int | None
    handled: int
    failed: int  # by itself: not resolved, unresolved or reopened
    level1_resolvable: int
    transfers: int
    countable: int  # inbound, no call-back, neither abandoned at once nor contained by a bot nor passed on
    wants_callback: int
    callback_of: str | None


def visit_of(contact: ContactFact) -> Visit | None:
    """A contact as first contact resolution sees it; None where it has no part or an unknown customer."""
    inbound = contact.direction == "inbound" and contact.callback_of is None
    if contact.customer_key is None or contact.consult_of or not (inbound or contact.callback_of):
        return None
    solved = contact.end_type == "resolved" and contact.end_detail != "unresolved" and contact.reopens == 0
    return Visit(
        customer_key=contact.customer_key,
        contact_id=contact.contact_id,
        channel=contact.channel,
        queue=contact.queue,
        agent=contact.agent,
        team=contact.team,
        reason=contact.reason,
        started_at=contact.started_at,
        entered_at=contact.entered_at,
        ended_at=contact.ended_at,
        handled=contact.handled,
        failed=int(not solved),
        level1_resolvable=contact.level1_resolvable,
        transfers=contact.transfers,
        countable=int(inbound and not contact.short_abandoned and not contact.contained)
        if contact.forwarded_from is None
        else 0,
        wants_callback=int(contact.end_type == "transferred" and contact.end_detail == "callback"),
        callback_of=contact.callback_of,
    )


def visits_by_customer(facts: Iterable[Facts]) -> dict[str, list[Visit]]:
    """What contacts are to their customers, by customer."""
    found: dict[str, list[Visit]] = {}
    for one in facts:
        visit = visit_of(one.contact) if one.contact else None
        if visit is not None:
            found.setdefault(visit.customer_key, []).append(visit)
    return found


def last_callback(visits: Iterable[Visit]) -> Visit | None:
    """Of several calls for one request the one that began last: it says how the request ended."""
    return max(visits, key=lambda visit: (visit.started_at, visit.contact_id), default=None)


def candidate(visit: Visit, callback: Visit | None, rules: FcrRules) -> FcrFact | None:
    """A visit as a contact of its own, with what its call-back made of it; None if it is none. Not judged."""
    if not visit.countable:
        return None
    ending = callback if callback is not None and visit.wants_callback else visit
    if rules.evidence == "handled" and not ending.handled:
        return None
    anchor = (ending.handled or rules.anchors == "closed") and ending.ended_at is not None
    return FcrFact(
        customer_key=visit.customer_key,
        contact_id=visit.contact_id,
        channel=visit.channel,
        queue=ending.queue or visit.queue,
        agent=ending.agent,
        team=ending.team,
        reason=visit.reason,
        started_at=visit.started_at,
        begins_at=visit.entered_at if rules.begin == "entered" else visit.started_at,
        ended_at=ending.ended_at if anchor else None,
        anchor=int(anchor),
        failed=int(anchor and ending.failed),
        level1_resolvable=int(visit.level1_resolvable and ending.level1_resolvable),
        transferred=int(visit.transfers > 0 or ending.transfers > 0),
        next_at=None,
        previous_end_at=None,
    )


def group_of(fact: FcrFact, rules: FcrRules) -> GroupKey:
    """Which of the customer's contacts can repeat each other."""
    return (fact.reason if rules.match_reason else "", "" if rules.cross_channel else fact.channel)
