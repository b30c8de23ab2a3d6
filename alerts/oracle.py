"""Decisions by SQL, from the windows that are stored: a second program, to hold the first one against."""

from collections.abc import Sequence
from datetime import date

from clickhouse_connect.driver.client import Client

from alerts.counting import (
    WINDOWS,
    beyond_of,
    is_bounded,
    is_gauge,
    per_one,
    percent_of,
    scale_of,
    source_of,
)
from alerts.decisions import Decision
from alerts.detectors import timing_of
from alerts.rule import Group, Rule
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
from kpis.dips.log_mean import UNIT, units, z_squared
from kpis.dips.usual import HISTORY_MS
from kpis.dips.weeks import WEEK_MS
from kpis.rules import Rules
from reports.beyond_minutes import beyond_source
from reports.fact_minutes import fact_source, fcr_fact_source, log_source, within_minutes
from reports.other_minutes import other_source
from reports.queries import rows
from schemas.time_units import DAY_MS, MINUTE_MS
from sinks.rule_parameters import rule_parameters
from sql.alert_queries import (
    Counted,
    alert_transitions,
    beyond_counted,
    logs_counted,
    moment_counted,
    sums_counted,
)
from sql.kpi_queries import STREAM_FCR_WINDOWS, STREAM_WINDOWS, WINDOW_DIMENSIONS, window_source

Parameters = dict[str, object]


def by_sql(
    client: Client, group: Group, rule: Rule, kpi: Kpi, span: tuple[int, int], rules: Rules, zone: str
) -> list[Decision]:
    """Decisions of a rule in (begin, end]."""
    kind = "quantile" if percent_of(kpi) else rule.when.type
    query = alert_transitions(kind, counted(rule, kpi), rule.by, [*rule.where], kpi.applies)
    asked = rule_parameters(rules) | of_every_rule(group, rule, span) | of_type(rule, kpi, span, zone)
    return sorted(
        Decision(
            row["at"], rule.alert, tuple(zip(rule.by, row["labels"], strict=True)), row["kind"],
            row["opened_at"], row["window_ms"], row["successes"], row["n"],
        )
        for row in rows(client, query, asked)
    )  # fmt: skip


def counted(rule: Rule, kpi: Kpi) -> Counted:
    """What is counted by minute, in windows or, by other dimensions, in facts."""
    if (beyond := beyond_of(rule, kpi)) is not None:
        return beyond_counted(beyond_source(*beyond, rule.further))
    kpi, table = per_one(kpi), source_of(kpi)
    measures, further = [*dict.fromkeys((*kpi.num, *kpi.den))], rule.further
    if is_gauge(kpi):
        return moment_counted(table.table, kpi.figure is not None, further)
    if isinstance(rule.when, LogMeanWhen):
        return logs_counted(within_minutes(log_source(measures[0], measures[1], further)))
    part = "0"
    if isinstance(rule.when, MaturedWhen):
        part, source = "days", of_repeats(measures, further, sorted(rule.when.targets))
    elif table.table == "fcr":
        source = of_repeats(measures, further, [table.days])
    elif table != WINDOWS:
        source = other_source(table.table, further)
    elif further:
        source = within_minutes(fact_source(measures, further))
    else:
        source = window_source(STREAM_WINDOWS, measures)
    return sums_counted(kpi.num, kpi.den, is_bounded(kpi), source, part)


def of_repeats(measures: Sequence[str], further: Sequence[str], lengths: Sequence[int]) -> str:
    """Source: repeat contacts, judged by windows of so many days each."""
    if further:
        return within_minutes(fcr_fact_source(further, lengths))
    windows = window_source(STREAM_FCR_WINDOWS, measures, (*WINDOW_DIMENSIONS, "days"))
    return f"(SELECT * FROM {windows} WHERE days IN ({', '.join(map(str, lengths))}))"  # noqa: S608 -- ours


def of_every_rule(group: Group, rule: Rule, span: tuple[int, int]) -> Parameters:
    """What all types ask for."""
    timing, (begin, end) = timing_of(rule), span
    among = {f"values_{number}": list(values) for number, values in enumerate(rule.where.values())}
    return among | {
        "from_ms": begin,
        "to_ms": end,
        "as_of_ms": end,
        "step_ms": group.interval,
        "for_ms": timing.for_ms,
        "keep_ms": timing.keep_firing_for_ms,
        "expire_ms": timing.expire_ms,
        "no_data": timing.no_data,
        "parts": [0],
        "part_ms": 0,
        "backs_ms": [0],
        "below": int(getattr(rule.when, "op", "<") == "<"),
    }


def of_type(rule: Rule, kpi: Kpi, span: tuple[int, int], zone: str) -> Parameters:
    """What a type asks for, and from when on minutes are to be read."""
    begin = span[0]
    match rule.when:
        case ObjectiveWhen() as when:
            known = begin - begin % DAY_MS - HISTORY_MS if when.usual else begin - when.windows[-1]
            own: Parameters = {
                "known_ms": known,
                "usual": int(when.usual),
                "targets": [(when.target.numerator, when.target.denominator)],
                "slack": float(rule.slack),
            }
            return own | of_ladder(rule, when)
        case MaturedWhen() as when:
            ages = sorted(when.targets)
            own = {
                "known_ms": begin - when.windows[-1] - ages[-1] * DAY_MS,
                "usual": 0,
                "slack": 0.0,
                "parts": ages,
                "part_ms": DAY_MS,
                "targets": [(when.targets[age].numerator, when.targets[age].denominator) for age in ages],
            }
            return own | of_ladder(rule, when)
        case LogMeanWhen() as when:
            own = {
                "known_ms": begin - when.windows[-1],
                "parts": [0, 1],
                "target": units(when.target),
                "unit": float(UNIT),
                "z_squared": float(z_squared(rule.p_value)),
            }
            return own | of_ladder(rule, when)
        case ThresholdWhen() as when:
            return of_threshold(when, kpi, begin)
        case BurnRateWhen() as when:
            return of_burns(when, begin)
        case AbsenceWhen() as when:
            return of_weeks(when, begin, zone, when.within) | {"expected": when.expected}
        case SeasonalWhen() as when:
            own = {"windows_ms": list(when.windows), "p_value": float(when.p_value)}
            return own | of_weeks(when, begin, zone, 2 * when.windows[-1])
        case SqlWhen():
            raise TypeError("a query is not decided again")


def of_ladder(rule: Rule, when: ObjectiveWhen | MaturedWhen | LogMeanWhen) -> Parameters:
    """A ladder of windows."""
    return {
        "backs_ms": [0, *when.windows],
        "windows_ms": list(when.windows),
        "fresh_min": when.fresh_min,
        "min_samples": when.min_samples,
        "p_value": float(rule.p_value),
    }


def of_threshold(when: ThresholdWhen, kpi: Kpi, begin: int) -> Parameters:
    """A limit. A gauge is compared at its newest minute."""
    if percent := percent_of(kpi):
        least = when.min_samples if percent < 100 else 1
        return {
            "known_ms": begin - when.window,
            "backs_ms": [0, when.window],
            "parts": [0, 1],
            "percent": percent,
            "min_samples": least,
        }
    scale = scale_of(kpi)
    limit, clear = when.limit * scale, when.over_at * scale
    return {
        "known_ms": begin - when.window,
        "backs_ms": [0, MINUTE_MS if is_gauge(kpi) else when.window, when.window],
        "is_quotient": int(bool(kpi.den) and not is_gauge(kpi)),
        "min_samples": when.min_samples,
        "limit_num": limit.numerator,
        "limit_den": limit.denominator,
        "clear_num": clear.numerator,
        "clear_den": clear.denominator,
    }


def of_burns(when: BurnRateWhen, begin: int) -> Parameters:
    """Pairs of windows, and what share of failures each allows."""
    allowed = [pair.factor * (1 - when.target if when.op == "<" else when.target) for pair in when.burns]
    backs = [back for pair in when.burns for back in (pair.long, pair.short)]
    return {
        "known_ms": begin - max(backs),
        "backs_ms": [0, *backs, min(pair.short for pair in when.burns)],
        "allowed": [(share.numerator, share.denominator) for share in allowed],
        "min_samples": when.min_samples,
    }


def of_weeks(when: AbsenceWhen | SeasonalWhen, begin: int, zone: str, reach: int) -> Parameters:
    """Earlier weeks: a day more than their number, as clocks are shifted."""
    return {
        "known_ms": begin - when.weeks * WEEK_MS - DAY_MS - reach,
        "zone": zone,
        "weeks": when.weeks,
        "at_least": when.at_least_weeks,
        "reach_ms": reach,
        "holidays": [(day - date(1970, 1, 1)).days for day in when.holidays],
    }
