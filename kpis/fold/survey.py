"""Surveys of a contact: which answer counts."""

from kpis.facts import ContactFact, SurveyFact
from kpis.fold.dimensions import NONE
from kpis.rules import Rules
from schemas.events import ContactSurveyed


def in_range(event: ContactSurveyed) -> bool:
    """Is the score on the scale it claims? One outside is rejected with the flag SCORE_RANGE."""
    return event.scale_min <= event.score <= event.scale_max and event.scale_min < event.scale_max


def fold_surveys(
    events: list[ContactSurveyed], contact: ContactFact | None, rules: Rules
) -> tuple[SurveyFact, ...]:
    """Last answer in range per (kind, respondent); late if it came too long after the contact's end.

    Is the last statement that the answer is ignored, there is none.

    `contact` is None for an orphan: an answer about a contact of which nothing else is known yet.
    """
    ended_at = contact.ended_at if contact else None
    winners: dict[tuple[str, str], ContactSurveyed] = {}
    for event in sorted(events, key=lambda item: (item.occurred_at, item.event_id)):
        if event.ignored or in_range(event):
            winners[event.kind, event.respondent] = event
    return tuple(
        SurveyFact(
            contact_id=event.contact_id,
            kind=kind,
            respondent=respondent,
            leg=event.leg,
            channel=contact.channel if contact else event.channel,
            queue=contact.queue if contact else "",
            agent=contact.agent if contact else "",
            team=contact.team if contact else "",
            reason=contact.reason if contact else "",
            dimensions=contact.dimensions if contact else NONE,
            responded_at=event.occurred_at,
            booked_at=event.occurred_at if ended_at is None else ended_at,
            score=event.score,
            scale_min=event.scale_min,
            scale_max=event.scale_max,
            higher_is_better=int(event.higher_is_better),
            late=int(ended_at is not None and event.occurred_at - ended_at > rules.survey_late_ms),
            orphan=int(contact is None),
        )
        for (kind, respondent), event in sorted(winners.items())
        if not event.ignored
    )
