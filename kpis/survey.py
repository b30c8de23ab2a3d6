"""Surveys of a contact: which answer counts."""

from kpis.facts import SurveyFact
from kpis.rules import Rules
from schemas.events import ContactSurveyed


def in_range(event: ContactSurveyed) -> bool:
    """Is the score on the scale it claims? One outside is rejected with the flag SCORE_RANGE."""
    return event.scale_min <= event.score <= event.scale_max and event.scale_min < event.scale_max


def fold_surveys(
    events: list[ContactSurveyed], ended_at: int | None, orphan: bool, rules: Rules
) -> tuple[SurveyFact, ...]:
    """Last answer in range per (kind, respondent); late if it came too long after the contact's end."""
    winners: dict[tuple[str, str], ContactSurveyed] = {}
    for event in sorted(events, key=lambda item: (item.occurred_at, item.event_id)):
        if in_range(event):
            winners[event.kind, event.respondent] = event
    return tuple(
        SurveyFact(
            contact_id=event.contact_id,
            kind=kind,
            respondent=respondent,
            leg=event.leg,
            responded_at=event.occurred_at,
            score=event.score,
            scale_min=event.scale_min,
            scale_max=event.scale_max,
            higher_is_better=int(event.higher_is_better),
            late=int(ended_at is not None and event.occurred_at - ended_at > rules.survey_late_ms),
            orphan=int(orphan),
        )
        for (kind, respondent), event in sorted(winners.items())
    )
