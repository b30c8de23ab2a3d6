"""Scores with decimals become whole numbers on a finer scale."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.codec import decode, encode
from schemas.events import ContactSurveyed

BASE = {"event_id": "e", "contact_id": "c", "occurred_at": 1_767_571_200_000, "source": "s", "kind": "nps"}


def scored(score: Any, low: Any = 0, high: Any = 10) -> ContactSurveyed:
    return ContactSurveyed.model_validate({**BASE, "score": score, "scale_min": low, "scale_max": high})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ((6, 0, 10), (6, 0, 10)),
        ((6.5, 0, 10), (65, 0, 100)),
        ((6.25, 0, 10), (625, 0, 1_000)),
        ((8.9999, 0, 10), (8_999, 0, 10_000)),
        ((-0.5, -1, 1), (-5, -10, 10)),
        ((7.0, 0, 10), (7, 0, 10)),
        ((4, 0.5, 5), (40, 5, 50)),
    ],
)
def test_decimals(given: tuple[float, ...], kept: tuple[int, ...]) -> None:
    event = scored(*given)
    assert (event.score, event.scale_min, event.scale_max) == kept
    assert decode(encode(event)) == event


@pytest.mark.parametrize("score", [float("nan"), float("inf"), "6.5", None, True, 1e300])
def test_what_is_no_score_is_refused(score: Any) -> None:
    with pytest.raises(ValidationError):
        scored(score)
