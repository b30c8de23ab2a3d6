"""From the table `[rules]` to the value that everything is counted by."""

from cli.rule_settings import RuleSettings
from kpis.rules import DEFAULT_RULES, FcrRules, Rules
from schemas.time_units import HOUR_MS


def ms(value: float, unit_ms: int = 1000) -> int:
    """A number of seconds, or of another unit, in milliseconds."""
    return round(value * unit_ms)


def by_name(values_s: dict[str, float]) -> dict[str, int]:
    """Seconds by name in milliseconds."""
    return {name: ms(seconds) for name, seconds in values_s.items()}


def rules_by(given: RuleSettings, zone: str, contact_max_events: int) -> Rules:
    """The rules of a table; `zone` is that of calendars which name none."""
    return Rules(
        service_level_ms=DEFAULT_RULES.service_level_ms | by_name(given.service_level_s),
        service_level_default_ms=ms(given.service_level_default_s),
        service_level_by_queue_ms=by_name(given.service_level_by_queue_s),
        short_abandon_ms=ms(given.short_abandon_s),
        skew_tolerance_ms=ms(given.skew_tolerance_s),
        future_tolerance_ms=ms(given.future_tolerance_s),
        async_channels=given.async_channels,
        stale_ms=ms(given.stale_after_h, HOUR_MS),
        stale_async_ms=ms(given.stale_after_async_h, HOUR_MS),
        survey_late_ms=ms(given.survey_late_h, HOUR_MS),
        agent_state_max_ms=ms(given.agent_state_max_h, HOUR_MS),
        acw_stale_ms=ms(given.acw_stale_s),
        contact_max_events=contact_max_events,
        fcr=FcrRules(**given.fcr.model_dump()),
        calendars={name: one.calendar(zone) for name, one in given.calendars.items()},
        calendar_by_queue=given.calendar_by_queue,
        calendar_default=given.calendar_default,
    )
