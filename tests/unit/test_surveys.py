"""Answers to surveys whose questions do not say what they measure."""

from pathlib import Path

import pytest
from support.samples import FOLDER, SECRET

from adapters.kit.check import read_stored
from adapters.kit.contract import events_of
from adapters.kit.options import SourceOptions, use
from adapters.kit.surveys import kind_of, number_of
from adapters.registry import source_of


def told(sample: Path) -> list[tuple[str, str, int, int, int]]:
    outcomes = read_stored(source_of("formbricks"), sample, SECRET).outcomes
    return [(e.contact_id, e.kind, e.score, e.scale_max, e.occurred_at) for e in events_of(outcomes)]


@pytest.mark.usefixtures("source_options")
def test_a_question_is_named_by_the_setting() -> None:
    sample = FOLDER / "formbricks" / "survey-formbricks-01.json"
    assert told(sample) == []
    use(SourceOptions(survey_questions={"q2": "csat"}))
    assert told(sample)[-1] == ("call-1", "csat", 2, 5, 1_767_686_431_000)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("csat", "csat"), ("Q3_NPS", "nps"), ("solved?", "fcr"), ("enps", None), ("q2", None), ("access", None)],
)
def test_a_question_is_named_by_its_id(name: str, kind: str | None) -> None:
    assert kind_of(None, name) == kind


@pytest.mark.parametrize(
    ("given", "score"),
    [
        ("4", 4),
        (4.5, 4.5),
        (True, 1),
        ("", None),
        (" ", None),
        ("nan", None),
        ("1e9", None),
        ([], None),
        ("x", None),
    ],
)
def test_what_is_no_score_is_none(given: object, score: float | None) -> None:
    assert number_of(given) == score
