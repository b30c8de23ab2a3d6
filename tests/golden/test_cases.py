"""Every case from a public report gives the values of its source, straight from the fold and the tallies."""

from collections import defaultdict

import pytest
from support.cases import Case, Check, Row, agrees, case_names, read_case, world_of, wrong_in
from support.evaluate import fcr_facts, quarters
from support.kpi_values import Expected
from support.kpi_world import Stored

from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import Rules
from schemas.events import Event

NAMES = case_names()


def values(check: Check, events: list[Event], rules: Rules) -> dict[tuple[str, ...], dict[str, Row]]:
    """The KPIs of a check by dimensions, from facts alone."""
    world = world_of(events, rules)
    facts = world.facts()
    stored = Stored(None, world, facts, fcr_facts(facts, world.rules), quarters(world))  # type: ignore[arg-type]
    known, found = every_kpi(world.rules), defaultdict[tuple[str, ...], dict[str, Row]](dict)
    for name in check.question.kpis:
        for (_, _, *dimensions), value in Expected(check.question, stored).values(known[name]).items():
            found[tuple(dimensions)][name] = value
    return found


def wrong(case: Case) -> list[str]:
    """What is not as expected in any order."""
    return [
        f"{order}: {line}"
        for order, events in case.orders().items()
        for check in case.checks
        for line in wrong_in(check, values(check, events, case.rules))
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_case_gives_the_values_of_its_source(name: str) -> None:
    case = read_case(name)
    assert any(check.expect for check in case.checks)
    found = wrong(case)
    assert not found, "\n".join(found)


def test_a_wrong_value_is_reported() -> None:
    assert not agrees([1, 2], {"value": 0.5, "num": 2, "den": 4})
    assert not agrees(3, {"value": 4})
    assert not agrees(3, None)
    assert agrees(None, None)
    assert agrees(0, None)
