"""What every entry of the catalogue must keep. A check takes the KPIs, so that a fault can be planted."""

import re
from collections.abc import Iterable
from dataclasses import replace

from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from kpis.rules import DEFAULT_RULES
from kpis.tallies import fcr, windows

KPIS = every_kpi(DEFAULT_RULES)
MOMENTS = {"windows": windows.BOOKED_AT, "fcr": {"ended": fcr.ANCHORED, "started": fcr.BEGUN}}
# Who hangs up in the IVR never enters a queue; Talkdesk counts both, so each at its own moment.
AT_TWO_MOMENTS = {"abandonment_rate.talkdesk"}
RULE_VALUE = re.compile(r"\b\d+ (?:ms|s|min|h|d|days)\b")


def booked_elsewhere(kpis: Iterable[Kpi]) -> dict[str, set[str]]:
    """Measures of KPIs that are not booked at the moment of the KPI."""
    found = {
        kpi.id: {*kpi.num, *kpi.den} - {*MOMENTS[kpi.table].get(kpi.booked, ())}
        for kpi in kpis
        if kpi.table in MOMENTS
    }
    return {name: measures for name, measures in found.items() if measures}


def values_of_rules(kpis: Iterable[Kpi]) -> list[str]:
    """KPIs whose definition says a duration, which is wrong as soon as the rule is changed."""
    return [kpi.id for kpi in kpis if RULE_VALUE.search(kpi.definition)]


def test_numerator_and_denominator_are_booked_at_the_moment_of_the_kpi() -> None:
    assert booked_elsewhere(KPIS.values()).keys() == AT_TWO_MOMENTS


def test_a_kpi_of_two_moments_is_found() -> None:
    mixed = replace(KPIS["abandonment_rate_raw"], num={"abandonments": 1})
    assert booked_elsewhere([mixed]) == {"abandonment_rate_raw": {"abandonments"}}
    assert booked_elsewhere([replace(KPIS["aht"], booked="entered")]) == {"aht": {"handle_ms", "handle_n"}}
    assert booked_elsewhere([replace(KPIS["repeat_contact_rate"], booked="ended")])


def test_each_measure_is_booked_at_one_moment() -> None:
    for moments, measures in ((windows.BOOKED_AT, windows.MEASURES), (MOMENTS["fcr"], fcr.FCR_MEASURES)):
        assert sorted(name for names in moments.values() for name in names) == sorted(measures)
        assert len({*measures}) == len(measures)


def test_no_definition_says_the_value_of_a_rule() -> None:
    assert values_of_rules(KPIS.values()) == []
    planted = replace(KPIS["short_abandoned"], definition="Abandoned within 5 s.")
    assert values_of_rules([planted]) == ["short_abandoned"]
