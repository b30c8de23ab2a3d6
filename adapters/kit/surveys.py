"""Answers to surveys: the kind of a question, its usual scale, and the contact that it was asked about.

Survey tools do not say what a question measures. It is known by the question's id or name, if that holds the
word csat, nps, ces, aes or fcr (or solved), or by the setting RINGBACK_SURVEY_QUESTIONS.
"""

import re
from typing import Any

from adapters.kit.options import options
from adapters.kit.outcomes import InvalidInput, attempt, build
from schemas.events import Event

SCALES = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7), "aes": (1, 5), "fcr": (0, 1)}
WORDS = {**{kind: kind for kind in SCALES}, "solved": "fcr", "resolved": "fcr", "enps": ""}
PARTED = re.compile(r"[^a-z]+")
CHANNEL = "survey"  # of an answer that no contact is known for
SCORE_LIMIT = 1_000_000


def number_of(value: Any) -> float | None:
    """A score that is given as a number, a text or a yes; None for what is none, such as ""."""
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, int | float | str) or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not -SCORE_LIMIT <= number <= SCORE_LIMIT:
        return None
    return int(number) if number == int(number) else number


def kind_of(*names: str | None) -> str | None:
    """What a question measures, by its names; None where none of them says it."""
    named = options().survey_questions
    for name in filter(None, names):
        if name in named:
            return named[name]
        for word in PARTED.split(name.lower()):
            if WORDS.get(word):
                return WORDS[word]
    return None


def survey(kind: str, score: Any, low: Any = None, high: Any = None) -> dict[str, Any] | None:
    """Fields of contact_surveyed; None where there is no score. Without a scale the usual one of its kind."""
    number, usual = number_of(score), SCALES[kind]
    if number is None:
        return None
    lowest, highest = number_of(low), number_of(high)
    return {
        "kind": kind,
        "score": number,
        "scale_min": usual[0] if lowest is None else lowest,
        "scale_max": usual[1] if highest is None else highest,
    }


def answer_or_refused(number: int, *args: Any) -> Event | InvalidInput:
    """One of several answers of a response, see `answered`; one that is none takes no other along."""
    made = attempt(answered, *args)
    return made.at(number) if isinstance(made, InvalidInput) else made


def answered(
    source: str,
    response: str,
    contact: str | None,
    at: int,
    fields: dict[str, Any],
    revision: int | None = None,
) -> Event:
    """An answer to one question; of one given again the greatest revision counts. Raises InvalidInput.

    Without a contact it is one by itself: it counts in surveys, and in no KPI of contacts.
    """
    common = {
        "event_id": f"{source}-{response}-{fields['kind']}",
        "contact_id": contact or f"{source}-{response}",
        "occurred_at": at,
        "source": source,
        "channel": CHANNEL,
        "revision": at if revision is None else revision,
    }
    return build("contact_surveyed", common | fields)
