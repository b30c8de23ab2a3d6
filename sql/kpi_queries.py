"""SQL behind `ringback kpi`: sums over the periods of a range, by dimensions.

Sources give minute_ms, dimensions, and measures as m_<measure>: a prefix, because an alias that is also a
column of the source would be taken for it. Pass the parameters of `Periods`, and those of the rules
(sql.oracle_queries.parameters) where a source is made of facts or by the oracle.
"""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

import re
from collections.abc import Sequence

from sql.bookings import backlog, live, states
from sql.oracle_queries import contact_bookings, leg_bookings, offer_bookings
from sql.periods import Periods
from sql.templates import compose, fill
from sql.verify_queries import within

WINDOW_DIMENSIONS = ("channel", "queue")
AGENT_DIMENSIONS = ("agent", "team")
STATE_DIMENSIONS = ("agent", "team", "reason")
LEG_DIMENSIONS = ("channel", "queue", "agent", "team", "reason")
OWN_DIMENSION = re.compile(r"[a-z][a-z0-9_]{0,31}")  # as schemas.event_fields has it
STREAM_WINDOWS = "kpi_windows FINAL"
STREAM_FCR_WINDOWS = "fcr_windows FINAL"
STREAM_LEGS = "(SELECT * FROM legs FINAL WHERE is_deleted = 0)"
STREAM_CONTACTS = "(SELECT * FROM contacts FINAL WHERE is_deleted = 0)"
STREAM_SURVEYS = "(SELECT * FROM surveys FINAL WHERE is_deleted = 0)"
STREAM_OFFERS = "(SELECT * FROM offers FINAL WHERE is_deleted = 0)"
STREAM_FCR = "(SELECT * FROM fcr FINAL WHERE is_deleted = 0)"
STREAM_AGENT_QUARTERS = "(SELECT * FROM agent_quarters FINAL WHERE is_deleted = 0)"
# Of states that can reach into the range every event is needed that comes after.
SINCE = """WHERE (agent, event_id) IN (SELECT agent, event_id FROM agent_events
        WHERE occurred_at >= fromUnixTimestamp64Milli({from_ms:Int64} - {agent_state_max_ms:Int64}, 'UTC'))"""
MINUTE = "intDiv(toUnixTimestamp64Milli(assumeNotNull({0})), 60000) * 60000 AS minute_ms"
# Can no later contact change what was judged in this minute (docs/facts.md 8)?
MATURE = "minute_ms + 60000 + toInt64(days) * 86400000 <= {as_of_ms:Int64} AS mature"
# Dates from which KPIs that name no length of the window have another one.
ERA = "arrayCount(since -> since <= minute_ms, {fcr_from_ms:Array(Int64)}) AS era"

# A leg whose end is not known: does it still wait at {as_of_ms}, or was its end lost (docs/facts.md 6)?
STILL_WAITING = (
    "minute_ms + 60000 + if(has({async_channels:Array(String)}, channel), {stale_async_ms:Int64}, "
    "{stale_ms:Int64}) > {as_of_ms:Int64}"
)


def window_source(relation: str, measures: Sequence[str], keys: Sequence[str] = WINDOW_DIMENSIONS) -> str:
    """Source: any relation with window_start, keys, and measures under their names."""
    renamed = ", ".join(f"{name} AS m_{name}" for name in measures)
    return (
        f"(SELECT toUnixTimestamp64Milli(window_start) AS minute_ms, {', '.join(keys)}, {renamed} "
        f"FROM {relation} {within('window_start', True)})"
    )


def leg_source(legs: str = STREAM_LEGS) -> str:
    """Source: legs, for the measures of leg grain by any of LEG_DIMENSIONS."""
    return leg_bookings(legs)


def contact_source(contacts_with_ivr: str) -> str:
    """Source: contacts (oracle.with_ivr_legs), for the measures of contact grain by any of LEG_DIMENSIONS."""
    return contact_bookings(contacts_with_ivr)


def offer_source(offers: str = STREAM_OFFERS) -> str:
    """Source: offers to agents, by any of LEG_DIMENSIONS; the agent is who was asked."""
    return offer_bookings(offers)


def callback_source(legs: str = STREAM_LEGS, contacts: str = STREAM_CONTACTS) -> str:
    """Source: requests for a call back, by any of LEG_DIMENSIONS of the leg that asked."""
    return compose("oracle", "callbacks", legs=legs, contacts=contacts)


def column_of(name: str) -> str:
    """Column of a dimension in results: those of one's own have a prefix, as they may be called anything."""
    return name if name in LEG_DIMENSIONS else f"own_{name}"


def with_own(source: str, by: Sequence[str]) -> str:
    """A source of legs, contacts or surveys with a column for each dimension of one's own that is asked for.

    Raises ValueError for a name that no event can carry.
    """
    own = [name for name in by if name not in LEG_DIMENSIONS]
    odd = [name for name in own if not OWN_DIMENSION.fullmatch(name)]
    if odd:
        raise ValueError(f"unknown dimension {odd[0]!r}; one of {', '.join(LEG_DIMENSIONS)}, or your own")
    columns = ", ".join(f"dimensions['{name}'] AS {column_of(name)}" for name in own)
    return f"(SELECT *, {columns} FROM {source})" if own else source


def state_source() -> str:
    """Source: what agents said they were, by any of STATE_DIMENSIONS, up to {as_of_ms}."""
    return states(SINCE)


def matured(source: str) -> str:
    """A source with `days`: whether each minute is final at {as_of_ms}, and behind how many dates it is."""
    return f"(SELECT *, {MATURE}, {ERA} FROM {source})"


def still_waiting(source: str) -> str:
    """A source of leg measures with m_still_waiting: m_waiting, without legs whose end was lost."""
    return f"(SELECT *, if({STILL_WAITING}, m_waiting, 0) AS m_still_waiting FROM {source})"


def grouped(
    source: str,
    values: str,
    outputs: Sequence[str],
    periods: Periods,
    by: Sequence[str],
    having: str = "",
    apart: Sequence[str] = (),
) -> str:
    """Values per period and dimensions, in order; a period without rows in the source is left out.

    `apart` are columns that are kept apart as dimensions are, but are none that can be asked for.
    """
    dimensions = "".join(f", {name}" for name in (*map(column_of, by), *apart))
    return fill(
        "kpi",
        "grouped",
        start=periods.start,
        end=periods.end,
        dimensions=dimensions,
        outputs=", ".join(outputs),
        values=values,
        source=with_own(source, by),
        having=having,
    )


def sums(
    source: str,
    measures: Sequence[str],
    periods: Periods,
    by: Sequence[str] = (),
    apart: Sequence[str] = (),
) -> str:
    """window_start, window_end, dimensions, and the sum of each measure under its name.

    Rows of nothing but zeros are left out: corrections leave such windows in the stream's table.
    """
    values = ", ".join(f"sum(m_{name}) AS {name}" for name in measures)
    nothing = " AND ".join(f"{name} = 0" for name in measures)
    return grouped(source, values, measures, periods, by, f"HAVING NOT ({nothing})", apart)


def live_sums(measures: Sequence[str], periods: Periods, by: Sequence[str], legs: str = STREAM_LEGS) -> str:
    """Sums of the live measures over legs by the period they entered their queue in, up to {as_of_ms}."""
    source = f"(SELECT *, intDiv(entered_ms, 60000) * 60000 AS minute_ms FROM {live(legs)})"
    return sums(source, measures, periods, by)


def live_state(measures: Sequence[str], by: Sequence[str] = (), legs: str = STREAM_LEGS) -> str:
    """Dimensions, the sum of each live measure, and the greatest age of a waiting leg, all at {as_of_ms}."""
    values = ", ".join(f"sum(m_{name}) AS {name}" for name in measures)
    some = " OR ".join(f"{name} != 0" for name in measures)
    dimensions = ", ".join(map(column_of, by))
    grouping = f"GROUP BY {dimensions}" if by else ""
    return (
        f"SELECT {dimensions}{', ' if by else ''}{values}, ifNull(max(age_ms), 0) AS oldest_ms "
        f"FROM {with_own(live(legs), by)} {grouping} HAVING {some}"
    )


def backlog_state(
    measures: Sequence[str], by: Sequence[str], contacts: str = STREAM_CONTACTS, legs: str = STREAM_LEGS
) -> str:
    """Dimensions, and the sum of each measure of backlog at {as_of_ms}."""
    values = ", ".join(f"sum(m_{name}) AS {name}" for name in measures)
    dimensions = ", ".join(map(column_of, by))
    return (
        f"SELECT {dimensions}{', ' if by else ''}{values} FROM {with_own(backlog(contacts, legs), by)} "
        f"{f'GROUP BY {dimensions}' if by else ''} HAVING count() > 0"
    )


# Of each duration (kpis.catalogue.figure): what it is, which legs have it, and when it is booked.
DURATIONS = {
    "wait_ms": ("assumeNotNull(queue_ms)", "answered AND isNotNull(queue_ms)", "entered_at"),
    "queue_ms": ("assumeNotNull(queue_ms)", "offered AND isNotNull(queue_ms)", "entered_at"),
    "handle_ms": (
        "assumeNotNull(handle_ms)",
        "handled AND isNotNull(handle_ms) AND isNotNull(handled_at)",
        "handled_at",
    ),
    "hold_max_ms": ("hold_max_ms", "hold_n > 0 AND isNotNull(handled_at)", "handled_at"),
}


def leg_values(value: str, where: str, booked_at: str, legs: str) -> str:
    """Source: `duration`, a value of each leg that has it."""
    return (
        f"(SELECT {MINUTE.format(booked_at)}, {', '.join(LEG_DIMENSIONS)}, dimensions, {value} AS duration "
        f"FROM {legs} WHERE {where})"
    )


def longest(duration: str, periods: Periods, by: Sequence[str] = (), legs: str = STREAM_LEGS) -> str:
    """`longest` and `n`, the greatest value of a duration and the number of legs that have one."""
    source = leg_values(*DURATIONS[duration], legs)
    return grouped(source, "max(duration) AS longest, count() AS n", ("longest", "n"), periods, by)


def waiting(periods: Periods, by: Sequence[str] = (), legs: str = STREAM_LEGS) -> str:
    """`waiting`: offered legs that still wait at {as_of_ms}, by the time they entered."""
    source = leg_values("0", f"waiting != 0 AND {STILL_WAITING}", "entered_at", legs)
    return grouped(source, "count() AS waiting", ("waiting",), periods, by)


def quantiles(
    duration: str,
    percents: Sequence[int],
    periods: Periods,
    by: Sequence[str] = (),
    legs: str = STREAM_LEGS,
) -> str:
    """`n` and p<percent>: the lower quantiles of a duration (docs/facts.md 7).

    quantileExact and quantileExactLow take other indexes, and floats besides: 0.07 * 100 is more than 7. So
    the values are sorted, and the one at ceil(percent * n / 100), counted from 1, is taken.
    """
    outputs = ["n", *(f"ordered[intDiv({percent:d} * n + 99, 100)] AS p{percent:d}" for percent in percents)]
    values = "arraySort(groupArray(duration)) AS ordered, count() AS n"
    return grouped(leg_values(*DURATIONS[duration], legs), values, outputs, periods, by)


# What a leg can be at a moment: from when on, until when (not included), and which legs (kpis.tallies.live).
MOMENTS = {
    "waiting": (
        "entered_ms",
        "least(answer_ms, end_ms, entered_ms + stale_after_ms)",
        "offered != 0 AND NOT (handled != 0 AND isNull(answered_at))",
    ),
    "active": (
        "greatest(entered_ms, answer_ms)",
        "least(end_ms, answer_ms + stale_after_ms)",
        "handled != 0 AND isNotNull(answered_at)",
    ),
    "acw": (
        "greatest(entered_ms, end_ms)",
        "greatest(finish_ms, if(acw_known != 0, 0, end_ms + {acw_stale_ms:Int64}))",
        "handled != 0 AND isNotNull(ended_at) AND NOT is_async",
    ),
}


def moment_minutes(moment: str, further: Sequence[str] = (), legs: str = STREAM_LEGS) -> str:
    """Legs that were one of MOMENTS at the end of each minute: begin_ms, channel, queue, others, legs_n,
    and longest_ms since the first of them entered."""
    columns = "".join(f", {column_of(name)}" for name in further)
    carried = "".join(f" AND {column_of(name)} != ''" for name in further)
    begun, left, meant = MOMENTS[moment]
    return fill(
        "kpi", "moment_minutes", legs=with_own(legs, further), further=columns, carried=carried,
        begun=begun, left=left, meant=meant,
    )  # fmt: skip


def peak_hour(source: str, periods: Periods, by: Sequence[str] = ()) -> str:
    """`begin_ms` and `n` of the busiest hour: four quarters of UTC within a period; the earliest on a tie.

    The source gives m_contacts. Each quarter counts in the four hours that hold it, those that begin in a
    quarter without contacts included. Periods that no hour with a contact fits in are left out.
    """
    dimensions = "".join(f", {column_of(name)}" for name in by)
    return fill(
        "kpi",
        "peak_hour",
        start=periods.start,
        end=periods.end,
        dimensions=dimensions,
        source=with_own(source, by),
    )
