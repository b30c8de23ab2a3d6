"""`ringback explain` says of a contact whose end was lost that it is incomplete at the moment asked about."""

from typing import Any

import pytest
from support.notation import BASE_MS
from support.stub_clickhouse import StubClient

from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES, Rules
from reports.explain.explanation import Asked, document, explain

KPIS = every_kpi(DEFAULT_RULES)
HOUR_S = 3_600
LOST, PASSED_ON, ENDED = "s, q@10, a@20", "s, q@10, t[queue_flow]@15", "s, q@10, a@20, res@30"
WAITS = "s@7000, q@7000"
END_MISSING = (
    "incomplete: at 2026-01-05T13:00:00Z nothing had been heard of it for 12 h or longer, "
    "and it had no end (END_MISSING)"
)
LEG_MISSING = END_MISSING.replace("it had no end (END", "the leg it was passed to had not come (LEG")


def notes(kpi: str, *contacts: str, at_s: int = 13 * HOUR_S, rules: Rules = DEFAULT_RULES) -> list[str]:
    """Notes of the contacts that a KPI of three hours is made of."""
    client: Any = StubClient(contacts)
    asked = Asked(KPIS[kpi], BASE_MS, BASE_MS + 3 * HOUR_S * 1000, BASE_MS + at_s * 1000)
    return [contact["note"] for contact in document(explain(client, asked, rules))["contacts"]]


@pytest.mark.parametrize("kpi", ["offered", "volume"])
def test_a_contact_without_an_end_is_incomplete_after_the_stale_limit(kpi: str) -> None:
    assert notes(kpi, LOST, PASSED_ON, ENDED, WAITS) == [END_MISSING, LEG_MISSING, "", ""]


def test_those_of_the_peak_hour_are_as_well() -> None:
    assert notes("peak_hour", LOST, PASSED_ON, ENDED, WAITS) == [END_MISSING, LEG_MISSING, ""]


def test_it_is_not_before_the_limit_has_passed() -> None:
    assert notes("offered", LOST, at_s=12 * HOUR_S + 19) == [""]
    assert notes("offered", LOST, at_s=12 * HOUR_S + 20)[0].startswith("incomplete: ")


def test_the_limit_is_that_of_the_rules() -> None:
    (note,) = notes("offered", LOST, at_s=4 * HOUR_S, rules=Rules(stale_ms=3 * HOUR_S * 1000))
    assert "for 3 h or longer" in note


def test_what_came_after_the_moment_is_not_seen() -> None:
    late = f"{LOST}, res@{14 * HOUR_S}"
    assert notes("offered", late) == [END_MISSING]
    assert notes("offered", late, at_s=14 * HOUR_S) == [""]
    assert notes("offered", WAITS, at_s=60) == [""]


def test_it_stands_beside_what_else_is_said() -> None:
    """Of the leg that has a figure, and of a contact that repeats another."""
    assert notes("longest_wait", "s, q@10, a@30") == [f"leg 1, number 1 of 1 legs in order; {END_MISSING}"]
    known = "s{customer_key=k}, q@10, a@20"
    found = notes("repeat_contact_rate", f"{known}, res@30", known.replace("s{", "s@60{"))
    assert found[1:] == [f"repeats an earlier contact; {END_MISSING}"]
