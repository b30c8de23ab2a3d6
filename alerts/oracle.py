"""Decisions by SQL, from the windows that are stored: a second program, to hold the first one against."""

from collections.abc import Mapping

from clickhouse_connect.driver.client import Client

from alerts.decisions import Decision
from alerts.detectors import timing_of
from alerts.rule import Group, Rule
from alerts.when import ObjectiveWhen
from kpis.catalogue.kpi import Kpi
from kpis.dips.usual import HISTORY_MS
from reports.queries import rows
from schemas.time_units import DAY_MS
from sql.alert_queries import alert_transitions


def is_covered(rule: Rule) -> bool:
    """Can SQL decide it? Only objectives, as the default rules are; their episodes are those that page."""
    return isinstance(rule.when, ObjectiveWhen)


def by_sql(
    client: Client,
    group: Group,
    rule: Rule,
    kpi: Kpi,
    span: tuple[int, int],
    async_channels: tuple[str, ...],
) -> list[Decision]:
    """Decisions of a rule in (begin, end]. Raises TypeError for one that is not covered."""
    query = alert_transitions(kpi.num, kpi.den, rule.by, kpi.applies, "known_ms")
    asked = parameters(group, rule, span) | {"async_channels": list(async_channels)}
    return sorted(
        Decision(
            row["at"], rule.alert, tuple(zip(rule.by, row["labels"], strict=True)), row["kind"],
            row["opened_at"], row["window_ms"], row["successes"], row["n"],
        )
        for row in rows(client, query, asked)
    )  # fmt: skip


def parameters(group: Group, rule: Rule, span: tuple[int, int]) -> dict[str, object]:
    """A rule as query parameters."""
    when = rule.when
    if not isinstance(when, ObjectiveWhen):
        raise TypeError(f"{rule.alert} is of type {when.type}")
    timing, (begin, end) = timing_of(rule), span
    known: Mapping[str, tuple[str, ...]] = {name: tuple(values) for name, values in rule.where.items()}
    return {
        "from_ms": begin,
        "to_ms": end,
        "known_ms": begin - begin % DAY_MS - HISTORY_MS if when.usual else begin - when.windows[-1],
        "step_ms": group.interval,
        "windows_ms": list(when.windows),
        "fresh_min": when.fresh_min,
        "min_samples": when.min_samples,
        "target_num": when.target.numerator,
        "target_den": when.target.denominator,
        "below": int(when.op == "<"),
        "usual": int(when.usual),
        "p_value": float(rule.p_value),
        "for_ms": timing.for_ms,
        "keep_ms": timing.keep_firing_for_ms,
        "expire_ms": timing.expire_ms,
        "channels": list(known.get("channel", ())),
        "queues": list(known.get("queue", ())),
    }
