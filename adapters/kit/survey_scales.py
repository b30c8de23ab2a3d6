"""Kinds of surveys with the scales that they are mostly asked on; a source that knows better says so."""

from typing import Any

SCALES = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7), "aes": (1, 5), "fcr": (0, 1)}


def number_of(value: Any) -> float | None:
    """A score that is given as a number or as a text; None for what is none, such as ""."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if number != number or abs(number) > 1_000_000:
        return None
    return int(number) if number == int(number) else number


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
