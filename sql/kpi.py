"""SQL behind `ringback kpi`: sums over the periods of a range, by dimensions.

Sources give minute_ms, dimensions, and measures as m_<measure>: a prefix, because an alias that is also a
column of the source would be taken for it. Pass the parameters of `Periods`, and those of the oracle's rules
where a source is made of legs or by the oracle.
"""

# ruff: noqa: S608 -- names and relations are ours; values from outside are query parameters

from collections.abc import Sequence

from sql.oracle import leg_bookings, template
from sql.periods import Periods
from sql.verify import within

WINDOW_DIMENSIONS = ("channel", "queue")
LEG_DIMENSIONS = ("channel", "queue", "agent", "team", "reason")
STREAM_LEGS = "(SELECT * FROM legs FINAL WHERE is_deleted = 0)"
STREAM_CONTACTS = "(SELECT * FROM contacts FINAL WHERE is_deleted = 0)"
MINUTE = "intDiv(toUnixTimestamp64Milli(assumeNotNull({0})), 60000) * 60000 AS minute_ms"


def stream_windows(measures: Sequence[str]) -> str:
    """Source: the stream's windows."""
    return window_source("kpi_windows FINAL", measures)


def oracle_windows(windows: str, measures: Sequence[str]) -> str:
    """Source: the oracle's windows (oracle.windows, or a table made of it)."""
    return window_source(windows, measures)


def window_source(relation: str, measures: Sequence[str]) -> str:
    """Source: any relation with the columns of kpi_windows."""
    renamed = ", ".join(f"{name} AS m_{name}" for name in measures)
    return (
        f"(SELECT toUnixTimestamp64Milli(window_start) AS minute_ms, channel, queue, {renamed} "
        f"FROM {relation} {within('window_start', True)})"
    )


def leg_source(legs: str = STREAM_LEGS) -> str:
    """Source: legs, for the measures of leg grain by any of LEG_DIMENSIONS."""
    return leg_bookings(legs)


def grouped(
    source: str, values: str, outputs: Sequence[str], periods: Periods, by: Sequence[str], having: str = ""
) -> str:
    """Values per period and dimensions, in order; a period without rows in the source is left out."""
    unknown = sorted(set(by) - set(LEG_DIMENSIONS))
    if unknown:
        raise ValueError(f"unknown dimension {unknown[0]!r}; one of {', '.join(LEG_DIMENSIONS)}")
    dimensions = "".join(f", {name}" for name in by)
    return f"""SELECT fromUnixTimestamp64Milli(start_ms, 'UTC') AS window_start,
    fromUnixTimestamp64Milli({periods.end}, 'UTC') AS window_end{dimensions},
    {", ".join(outputs)}
FROM (
    SELECT {periods.start} AS start_ms{dimensions}, {values}
    FROM {source}
    WHERE minute_ms >= {{from_ms:Int64}} AND minute_ms < {{to_ms:Int64}}
    GROUP BY start_ms{dimensions}
    {having}
)
ORDER BY start_ms{dimensions}"""


def sums(source: str, measures: Sequence[str], periods: Periods, by: Sequence[str] = ()) -> str:
    """window_start, window_end, dimensions, and the sum of each measure under its name.

    Rows of nothing but zeros are left out: corrections leave such windows in the stream's table.
    """
    values = ", ".join(f"sum(m_{name}) AS {name}" for name in measures)
    nothing = " AND ".join(f"{name} = 0" for name in measures)
    return grouped(source, values, measures, periods, by, f"HAVING NOT ({nothing})")


def longest(value: str, where: str, booked_at: str, periods: Periods, by: Sequence[str], legs: str) -> str:
    """`longest` and `n`, the greatest value and the number of legs that have one."""
    source = (
        f"(SELECT {MINUTE.format(booked_at)}, {', '.join(LEG_DIMENSIONS)}, {value} AS duration "
        f"FROM {legs} WHERE {where})"
    )
    return grouped(source, "max(duration) AS longest, count() AS n", ("longest", "n"), periods, by)


def longest_wait(periods: Periods, by: Sequence[str] = (), legs: str = STREAM_LEGS) -> str:
    """The longest known wait of offered legs, by the time they entered."""
    return longest(
        "assumeNotNull(queue_ms)", "offered AND isNotNull(queue_ms)", "entered_at", periods, by, legs
    )


def longest_hold(periods: Periods, by: Sequence[str] = (), legs: str = STREAM_LEGS) -> str:
    """The longest single hold of legs that were held, by the time they were finished."""
    return longest("hold_max_ms", "hold_n > 0 AND isNotNull(handled_at)", "handled_at", periods, by, legs)


def callback_wait(
    periods: Periods,
    by: Sequence[str] = (),
    legs: str = STREAM_LEGS,
    contacts: str = STREAM_CONTACTS,
) -> str:
    """`total_ms` and `n` of the waits from a request for a callback to its answer, by the requesting leg."""
    text = template("callbacks").replace("{legs}", legs).replace("{contacts}", contacts)
    return grouped(f"({text})", "sum(wait) AS total_ms, count() AS n", ("total_ms", "n"), periods, by)
