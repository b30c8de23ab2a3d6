"""What surveys, candidates of first contact resolution and legs of the moment add to KPIs, as SQL.

Each function returns a SELECT in brackets, to be used as a relation, with the measures as m_<measure>. They
read facts, wherever these come from: the stream's tables or the oracle's relations.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

Parameters = dict[str, object]


@cache
def template(name: str) -> str:
    """Text of sql/bookings/<name>.sql."""
    return (files("sql") / "bookings" / f"{name}.sql").read_text("utf-8")


def compose(name: str, **parts: str) -> str:
    """A template with its parts put in. Not str.format: braces also mark ClickHouse's own parameters."""
    text = template(name)
    for placeholder, part in parts.items():
        text = text.replace(f"{{{placeholder}}}", part)
    return f"({text})"


def parameters(*, stale_ms: int, stale_async_ms: int, acw_stale_ms: int) -> Parameters:
    """The rules that `live` takes besides those of sql.oracle.parameters."""
    return {"stale_ms": stale_ms, "stale_async_ms": stale_async_ms, "acw_stale_ms": acw_stale_ms}


def survey_bookings(surveys: str, at: Literal["booked_at", "responded_at"] = "booked_at") -> str:
    """What answers add: minute_ms, channel, queue, agent, team, reason, m_<measure>. No parameters."""
    return compose("surveys", surveys=surveys, at=at)


def fcr_bookings(fcr: str, days: Sequence[int]) -> str:
    """What candidates add, per length of the window: minute_ms, days, channel, queue, agent, team, reason,
    m_<measure>. No parameters.
    """
    return compose("fcr", fcr=fcr, days=f"[{', '.join(str(int(length)) for length in days)}]")


def live(legs: str) -> str:
    """What legs are at a moment: entered_ms, channel, queue, agent, team, reason, m_<measure>, and age_ms
    (NULL where not waiting). One row per leg that had entered by then.

    Parameters: as_of_ms (Int64), those of `parameters` here (stale_ms, stale_async_ms, acw_stale_ms) and of
    sql.oracle.parameters: short_abandon_ms, async_channels, t_queues, t_queue_ms, t_channels, t_channel_ms,
    t_default_ms.
    """
    return compose("live", legs=legs)
