"""The rules as query parameters of the oracle, from plain values: SQL knows nothing of `kpis/`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Parameters = dict[str, object]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits that hold from a moment on, until the next ones."""

    from_ms: int
    target_by_queue_ms: Mapping[str, int]
    target_by_channel_ms: Mapping[str, int]
    target_default_ms: int
    short_abandon_ms: int


def parameters(
    *,
    tolerance_ms: int,
    limits: Sequence[Limits],
    survey_late_ms: int,
    async_channels: Sequence[str],
    stale_ms: int,
    stale_async_ms: int,
    acw_stale_ms: int,
    agent_state_max_ms: int,
    contact_max_events: int,
    fcr: Parameters,
    calendars: Parameters,
) -> Parameters:
    """The rules as ClickHouse query parameters; every statement of the oracle takes (a part of) these."""
    return {
        "tolerance_ms": tolerance_ms,
        "survey_late_ms": survey_late_ms,
        "async_channels": list(async_channels),
        "limits_from_ms": [one.from_ms for one in limits],
        "short_abandon_ms": [one.short_abandon_ms for one in limits],
        "t_queues": [list(one.target_by_queue_ms) for one in limits],
        "t_queue_ms": [list(one.target_by_queue_ms.values()) for one in limits],
        "t_channels": [list(one.target_by_channel_ms) for one in limits],
        "t_channel_ms": [list(one.target_by_channel_ms.values()) for one in limits],
        "t_default_ms": [one.target_default_ms for one in limits],
        "stale_ms": stale_ms,
        "stale_async_ms": stale_async_ms,
        "acw_stale_ms": acw_stale_ms,
        "agent_state_max_ms": agent_state_max_ms,
        "contact_max_events": contact_max_events,
        **fcr,
        **calendars,
    }


def fcr_parameters(
    *,
    windows_days: Sequence[int],
    match_reason: bool,
    cross_channel: bool,
    begin: str,
    evidence: str,
    anchors: str,
    overlapping: bool,
    min_gap_ms: int,
    from_ms: Sequence[int],
) -> Parameters:
    """The settings of first contact resolution as ClickHouse query parameters."""
    return {
        "windows_days": list(windows_days),
        "match_reason": int(match_reason),
        "cross_channel": int(cross_channel),
        "begin": begin,
        "evidence": evidence,
        "anchors": anchors,
        "overlapping": int(overlapping),
        "min_gap_ms": min_gap_ms,
        "fcr_from_ms": list(from_ms),
    }
