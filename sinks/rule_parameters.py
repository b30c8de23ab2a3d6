"""The rules as ClickHouse query parameters: for the oracle, the views and whatever else counts by SQL."""

from kpis.rules import Rules
from sinks.calendar_parameters import calendar_parameters
from sql import oracle_queries as oracle


def rule_parameters(rules: Rules) -> dict[str, object]:
    """The rules as query parameters."""
    return oracle.parameters(
        tolerance_ms=rules.skew_tolerance_ms,
        short_abandon_ms=rules.short_abandon_ms,
        survey_late_ms=rules.survey_late_ms,
        async_channels=rules.async_channels,
        target_by_queue_ms=rules.service_level_by_queue_ms,
        target_by_channel_ms=rules.service_level_ms,
        target_default_ms=rules.service_level_default_ms,
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
        ),
        calendars=calendar_parameters(rules.calendars, rules.calendar_by_queue, rules.calendar_default),
    )
