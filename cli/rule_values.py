"""From the table `[rules]` to the value that everything is counted by."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from cli.rule_settings import RuleChange, RuleSettings
from kpis.rules import DEFAULT_RULES, DatedLimits, FcrRules, Limits, Rules
from schemas.time_units import HOUR_MS


def ms(value: float, unit_ms: int = 1000) -> int:
    """A number of seconds, or of another unit, in milliseconds."""
    return round(value * unit_ms)


def by_name(values_s: dict[str, float]) -> dict[str, int]:
    """Seconds by name in milliseconds."""
    return {name: ms(seconds) for name, seconds in values_s.items()}


def rules_by(given: RuleSettings, zone: str, contact_max_events: int) -> Rules:
    """The rules of a table; `zone` is that of calendars which name none."""
    rules = Rules(
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
        fcr=FcrRules(**given.fcr.model_dump(exclude={"min_gap_s"}), min_gap_ms=ms(given.fcr.min_gap_s)),
        calendars={name: one.calendar(zone) for name, one in given.calendars.items()},
        calendar_by_queue=given.calendar_by_queue,
        calendar_default=given.calendar_default,
    )
    windows = [
        (begin_ms(change.from_, zone), change.fcr_default_days)
        for change in sorted(given.changes, key=lambda one: one.from_)
        if change.fcr_default_days is not None
    ]
    return replace(
        rules,
        dated=dated_limits(rules, given.changes, zone),
        fcr=replace(rules.fcr, dated_days=tuple(windows)),
    )


def dated_limits(rules: Rules, changes: tuple[RuleChange, ...], zone: str) -> tuple[DatedLimits, ...]:
    """The limits of all dates, each of them whole, in the order of the dates."""
    found: list[DatedLimits] = []
    before: Limits = rules
    for change in sorted(changes, key=lambda one: one.from_):
        default, short = change.service_level_default_s, change.short_abandon_s
        found.append(
            DatedLimits(
                from_ms=begin_ms(change.from_, zone),
                service_level_ms=before.service_level_ms | by_name(change.service_level_s),
                service_level_default_ms=before.service_level_default_ms if default is None else ms(default),
                service_level_by_queue_ms=before.service_level_by_queue_ms
                | by_name(change.service_level_by_queue_s),
                short_abandon_ms=before.short_abandon_ms if short is None else ms(short),
            )
        )
        before = found[-1]
    return tuple(found)


def begin_ms(day: date, zone: str) -> int:
    """When a day begins in a time zone, in UTC ms."""
    return round(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp() * 1000)
