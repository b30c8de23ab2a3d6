"""The rules as ClickHouse query parameters: for the oracle, the views and whatever else counts by SQL."""

from kpis.rules import Limits, Rules
from sinks.calendar_parameters import calendar_parameters
from sql import oracle_parameters as oracle

BEFORE_ALL_MS = -(2**62)


def limits_of(found: Limits, from_ms: int) -> oracle.Limits:
    """The limits from a moment on."""
    return oracle.Limits(
        from_ms=from_ms,
        target_by_queue_ms=found.service_level_by_queue_ms,
        target_by_channel_ms=found.service_level_ms,
        target_default_ms=found.service_level_default_ms,
        short_abandon_ms=found.short_abandon_ms,
    )


def rule_parameters(rules: Rules) -> dict[str, object]:
    """The rules as query parameters."""
    return oracle.parameters(
        tolerance_ms=rules.skew_tolerance_ms,
        limits=[limits_of(rules, BEFORE_ALL_MS), *(limits_of(one, one.from_ms) for one in rules.dated)],
        survey_late_ms=rules.survey_late_ms,
        async_channels=rules.async_channels,
        stale_ms=rules.stale_ms,
        stale_async_ms=rules.stale_async_ms,
        acw_stale_ms=rules.acw_stale_ms,
        agent_state_max_ms=rules.agent_state_max_ms,
        contact_max_events=rules.contact_max_events,
        fcr=oracle.fcr_parameters(
            windows_days=rules.fcr.windows_days,
            match_reason=rules.fcr.match_reason,
            cross_channel=rules.fcr.cross_channel,
            begin=rules.fcr.begin,
            evidence=rules.fcr.evidence,
            anchors=rules.fcr.anchors,
            overlapping=rules.fcr.overlapping,
            min_gap_ms=rules.fcr.min_gap_ms,
            from_ms=[since for since, _ in rules.fcr.dated_days],
        ),
        calendars=calendar_parameters(rules.calendars, rules.calendar_by_queue, rules.calendar_default),
    )
