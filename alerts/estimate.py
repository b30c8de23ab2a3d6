"""How many false pages a week rules imply: said when they are loaded, not learned at night."""

import math
from collections.abc import Mapping
from fractions import Fraction

from alerts.rule import Rule, RuleFile
from alerts.when import AbsenceWhen, LogMeanWhen, MaturedWhen, ObjectiveWhen, SeasonalWhen
from kpis.dips.profiles import PROFILES

# Probability per look -> false pages a week of one label set, lasting for two minutes (the first one for
# five), as measured on simulated queues whose level wanders (docs/guide/alerts.md).
MEASURED = ((1e-4, 0.027), (1e-3, 0.309), (5e-3, 1.053))
ABSENCE, SEASONAL, MATURED = 0.03, 0.01, 0.01


def of_p_value(p_value: Fraction) -> float:
    """False pages a week of a label set, between and beyond the measured ones along a line of logarithms."""
    wanted = math.log(float(p_value))
    points = [(math.log(p), math.log(rate)) for p, rate in MEASURED]
    low, high = points[:2] if wanted < points[1][0] else points[1:]
    slope = (high[1] - low[1]) / (high[0] - low[0])
    return math.exp(low[1] + (wanted - low[0]) * slope)


def of_rule(rule: Rule) -> float | None:
    """False pages a week of one label set; None where nobody can say, as for limits."""
    match rule.when:
        case ObjectiveWhen() | LogMeanWhen():
            known = (
                one
                for one in PROFILES.values()
                if rule.p_value in (one.p_value, one.p_dip, one.p_rise) and one.for_ms == rule.for_ms
            )
            return next((one.false_a_week for one in known), None) or of_p_value(rule.p_value)
        case AbsenceWhen():
            return ABSENCE
        case SeasonalWhen():
            return SEASONAL
        case MaturedWhen():
            return MATURED
    return None


def estimate(file: RuleFile, label_sets: Mapping[str, int]) -> tuple[float, list[str]]:
    """False alarms a week by the number of label sets of each rule; and the rules nobody can say it of."""
    total, unknown = 0.0, []
    for group in file.groups:
        for rule in group.rules:
            own = of_rule(rule)
            if own is None:
                unknown.append(rule.alert)
            else:
                total += own * label_sets.get(rule.alert, 1)
    return total, unknown
