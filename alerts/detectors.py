"""From a rule to what looks at its minutes, and to where these minutes are."""

from datetime import date

from alerts.counting import is_gauge, percent_of, scale_of
from alerts.rule import Rule
from alerts.when import (
    AbsenceWhen,
    BurnRateWhen,
    LogMeanWhen,
    MaturedWhen,
    ObjectiveWhen,
    SeasonalWhen,
    SqlWhen,
    ThresholdWhen,
)
from kpis.catalogue.kpi import Kpi
from kpis.dips.absence import Starved
from kpis.dips.burn import BudgetBurn, Burn
from kpis.dips.detector import Detector, off_objective
from kpis.dips.ladder import Objective
from kpis.dips.log_mean import OffMean, units, z_squared
from kpis.dips.machine import Timing
from kpis.dips.matured import Matured, cohort
from kpis.dips.quantile import BeyondQuantile
from kpis.dips.seasonal import Unusual
from kpis.dips.threshold import BeyondLimit
from kpis.dips.usual import OffUsual
from kpis.dips.weeks import Weeks

EPOCH = date(1970, 1, 1)


def timing_of(rule: Rule) -> Timing:
    """The times of a rule."""
    return Timing(rule.for_ms, rule.keep_firing_for, no_data=rule.no_data)


def detector_of(rule: Rule, kpi: Kpi, zone: str) -> Detector:
    """What looks at the minutes of a rule that is no query."""
    match rule.when:
        case ObjectiveWhen() as when:
            windows = when.windows, when.min_samples, when.fresh_min
            objective = Objective(when.target, when.op == "<", rule.p_value, *windows, rule.slack)
            return OffUsual(objective) if when.usual else off_objective(objective)
        case MaturedWhen() as when:
            windows = when.windows, when.min_samples, when.fresh_min
            return Matured(
                tuple(
                    cohort(days, Objective(target, when.op == "<", rule.p_value, *windows))
                    for days, target in sorted(when.targets.items())
                )
            )
        case LogMeanWhen() as when:
            windows = when.windows, when.min_samples, when.fresh_min
            return OffMean(units(when.target), when.op == "<", z_squared(rule.p_value), *windows)
        case ThresholdWhen() as when if percent := percent_of(kpi):
            least = when.min_samples if percent < 100 else 1  # one is enough to be the longest
            return BeyondQuantile(percent, when.op == "<", when.window, least)
        case ThresholdWhen() as when:
            return threshold(when, kpi)
        case BurnRateWhen() as when:
            burns = tuple(Burn(pair.factor, pair.long, pair.short) for pair in when.burns)
            return BudgetBurn(when.target, when.op == "<", burns, when.min_samples)
        case AbsenceWhen() as when:
            return Starved(weeks_of(when, zone), when.expected, when.within)
        case SeasonalWhen() as when:
            return Unusual(weeks_of(when, zone), when.op == "<", when.p_value, when.windows)
        case SqlWhen():
            raise TypeError("a query looks at no minutes")


def detector_of_answers(when: SqlWhen, step_ms: int) -> Detector:
    """What looks at the figures that a query gave at a step: the quotient of the newest ones."""
    return BeyondLimit(when.limit, when.limit, when.op == "<", step_ms, 1)


def threshold(when: ThresholdWhen, kpi: Kpi) -> BeyondLimit:
    """Counts are compared as they are, gauges at their newest minute, all else as a quotient."""
    counts, scale = not kpi.den and not is_gauge(kpi), scale_of(kpi)
    limits = when.limit * scale, when.over_at * scale
    return BeyondLimit(*limits, when.op == "<", when.window, when.min_samples, counts, is_gauge(kpi))


def weeks_of(when: AbsenceWhen | SeasonalWhen, zone: str) -> Weeks:
    """The weeks to compare with."""
    holidays = frozenset((day - EPOCH).days for day in when.holidays)
    return Weeks(zone, when.weeks, when.at_least_weeks, holidays)
