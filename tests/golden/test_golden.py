"""The golden scenarios: every *.txt beside this file, as written, reversed, and twice in a muddle."""

import random
from pathlib import Path

import pytest
from support.tables import Scenario, mismatches, read_file

FOLDER = Path(__file__).parent
SCENARIOS = [scenario for path in sorted(FOLDER.glob("*.txt")) for scenario in read_file(path)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    events = scenario.read()
    muddle = [*events, *events]
    random.Random(7).shuffle(muddle)
    for order in (events, events[::-1], muddle):
        wrong = mismatches(scenario, order)
        assert not wrong, f"{scenario.events}\n" + "\n".join(wrong)


def test_a_wrong_figure_is_reported() -> None:
    simple = read_file(FOLDER / "S01_simple.txt")[0]
    simple.tables[0][1][0]["talk"] = "301"
    assert mismatches(simple, simple.read()) == ["leg 1 talk: expected 301, got 300"]
