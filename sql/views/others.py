"""Views that are not by period: facts without FINAL and deleted rows, the present moment, sources."""

# ruff: noqa: S608 -- names and expressions are ours

from collections.abc import Mapping, Sequence

from schemas.dead_letter import LINES_LOST
from schemas.time_units import DAY_MS, MINUTE_MS
from sql.bookings import backlog, live, near_legs
from sql.kpi_queries import STREAM_CONTACTS, STREAM_LEGS
from sql.table_columns import table_columns
from sql.templates import fill
from sql.views.meanings import BY_DAYS, MEANINGS
from sql.views.period import NOW_MS, Column, create, created, with_values

FREQUENT = 1_000
LIVE_MINUTES = 30
FRESH_S = 600  # a heartbeat that is told later than this after its time is no sign of a living source
BACKLOG_BY = ("channel", "queue", "agent", "team")
HIDDEN = ("version", "is_deleted")
# The view, and the table it shows.
FACTS = {"contact": "contacts", "leg": "legs", "survey": "surveys", "offer": "offers"}
COMMENTS = {
    "contact": "Contacts, one a row.",
    "leg": "Legs, one a row: a stint of a contact in a queue or with an agent.",
    "survey": "The survey answers that count, one a row.",
    "offer": "Offers of legs to agents, one a row.",
    "repeat_contact": "Inbound contacts of known customers, judged: did they come back within so many days?",
    "window_as_published": "Windows as readers knew them at a moment, minute by minute, with their measures "
    "by name: SELECT * FROM window_as_published(moment = '2026-01-05 10:05:00').",
    "corrections": "Numbers that changed after they had been published, and the events that came.",
    "frequent_customer": f"Customers with more than {FREQUENT:,} contacts.",
}
MOMENT = "DateTime64(3, 'UTC')"
WINDOW_TYPES = {"window_start": MOMENT, "channel": "String", "queue": "String", "days": "UInt16"}
REPEATED = """ended_at IS NOT NULL AND ifNull(toUnixTimestamp64Milli(next_at)
        <= toUnixTimestamp64Milli(ended_at) + {0}, 0)"""
REPEAT = "ifNull(toUnixTimestamp64Milli(begins_at) <= toUnixTimestamp64Milli(previous_end_at) + {0}, 0)"
FINAL = "intDiv(toUnixTimestamp64Milli(ifNull(ended_at, begins_at)), 60000) * 60000 + 60000 + {0} <= {1}"


def described(view: str, query: str, types: Mapping[str, str], means: Mapping[str, str]) -> str:
    """A view with a comment on every column. Raises ValueError where one has none."""
    if types.keys() != means.keys():
        raise ValueError(f"{view}: {sorted(types.keys() ^ means.keys())} in one place only")
    columns = [Column(name, name, kind, means[name]) for name, kind in types.items()]
    return created(view, COMMENTS[view], columns, query)


def shown_types(table: str) -> dict[str, str]:
    """Columns of a table that its view shows, and their types."""
    return {name: kind for name, kind in table_columns(table).items() if name not in HIDDEN}


def fact_views() -> dict[str, str]:
    """The views of facts, without those that were taken back."""
    views = {}
    for view, table in FACTS.items():
        types = shown_types(table)
        query = f"SELECT {', '.join(types)} FROM {table} FINAL WHERE is_deleted = 0"
        views[view] = described(view, query, types, MEANINGS[view])
    return views


def repeat_contact(days: Sequence[int]) -> str:
    """Contacts of known customers, and for each length of the window what came of them."""
    types, means, flags = shown_types("fcr"), dict(MEANINGS["repeat_contact"]), []
    columns = ", ".join(types)
    for length in days:
        span = length * DAY_MS
        expressions = {
            "repeated": f"anchor AND {REPEATED.format(span)}",
            "failed": f"anchor AND (failed OR {REPEATED.format(span)})",
            "is_repeat": REPEAT.format(span),
            "final": FINAL.format(span, NOW_MS),
        }
        for name, expression in expressions.items():
            flags.append(f"toUInt8({expression}) AS {name}_w{length}d")
            types[f"{name}_w{length}d"] = "UInt8"
            means[f"{name}_w{length}d"] = BY_DAYS[name].format(length)
    query = f"SELECT {columns},\n    {', '.join(flags)}\nFROM fcr FINAL WHERE is_deleted = 0"
    return described("repeat_contact", query, types, means)


def window_as_published() -> str:
    """Windows as they were known at a moment: SELECT ... FROM window_as_published(moment = '...')."""
    types = WINDOW_TYPES | {"measures": "Map(String, Int64)", "last_published_at": MOMENT}
    query = fill("views", "window_as_published")
    return described("window_as_published", query, types, MEANINGS["window_as_published"])


def corrections_query(only: str = "1", measures: str = "1", near: str = "1") -> str:
    """Changes of published numbers: of these windows and measures, and events of these times."""
    return fill("views", "corrections", only=only, measures=measures, near=near)


def corrections() -> str:
    """All changes of published numbers."""
    types = {"corrected_at": MOMENT} | WINDOW_TYPES
    types |= {"measure": "String", "old_value": "Int64", "new_value": "Int64", "cause": "String"}
    types |= {"events": f"Array(Tuple({MOMENT}, String, String, String, Int64))"}
    return described("corrections", corrections_query(), types, MEANINGS["corrections"])


def frequent_customer() -> str:
    """Customers that are more likely a switchboard or a test than a person."""
    query = fill("views", "frequent_customer", frequent=str(FREQUENT))
    types = {"customer": "String", "contact_count": "UInt64", "first_started_at": MOMENT,
             "last_started_at": MOMENT}  # fmt: skip
    return described("frequent_customer", query, types, MEANINGS["frequent_customer"])


def source_health() -> str:
    """When each source was last heard of."""
    never = "nullIf({0}, toDateTime64(0, 3, 'UTC'))"
    columns = [
        Column("source", "source", "String", "The system that sends events."),
        Column("last_heartbeat_at", never.format("beat_at"), f"Nullable({MOMENT})",
               "Time of its last heartbeat, by its own clock."),
        Column("last_event_at", never.format("event_at"), f"Nullable({MOMENT})",
               "Time of its latest event, by its own clock."),
        Column("silent_s", f"greatest(intDiv({NOW_MS} - toUnixTimestamp64Milli(heard_at), 1000), 0)", "Int64",
               "Seconds since either."),
        Column("is_live", "toUInt8(live)", "UInt8",
               f"1: its last heartbeat was told within {FRESH_S // 60} minutes of its time, so that it must "
               "go on; 0: there is none, or it is of a file or a simulation of another time."),
        Column("gap_n", "gap_n", "UInt64",
               "How often lines or rows of it were gone before they were read (dead letters lines_lost)."),
        Column("last_gap_at", never.format("gap_at"), f"Nullable({MOMENT})", "When that was noticed last."),
    ]  # fmt: skip
    fresh = {"fresh_s": str(FRESH_S), "lines_lost": LINES_LOST}
    return create("source_health", "When each source was last heard of.", columns, "source_health", **fresh)


def backlog_now(parameters: Mapping[str, object], columns: Sequence[Column], measures: Sequence[str]) -> str:
    """What is open at this moment; `columns` are expressions of t_<measure>."""
    source = backlog(STREAM_CONTACTS, STREAM_LEGS)
    fixed = [
        Column("as_of", "now64(3, 'UTC')", MOMENT, "This moment."),
        *(Column(name, name, "String", f"The {name}; '' for none.") for name in BACKLOG_BY),
    ]
    parts = {
        "by": ", ".join(BACKLOG_BY),
        "totals": ", ".join(f"sum(m_{name}) AS t_{name}" for name in measures),
        "source": with_values(source.replace("{as_of_ms:Int64}", NOW_MS), parameters),
    }
    comment = "Contacts that are open at this moment, by channel, queue, agent and team."
    return create("backlog_now", comment, [*fixed, *columns], "backlog_now", **parts)


def alert() -> str:
    """Episodes of alerts: from when to when, and what was seen when they fired."""
    columns = [
        Column("alert", "alert", "String", "Name of the rule."),
        Column("episode", "episode", "String", "Its id, as in notifications."),
        Column("channel", "own_labels['channel']", "String", "The channel; '' where the rule has none."),
        Column("queue", "own_labels['queue']", "String", "The queue; '' where the rule has none."),
        Column("kpi", "own_kpi", "String", "The KPI that was looked at."),
        Column("opened_at", "began_at", MOMENT, "When it was off for the first time."),
        Column("fired_at", "fired", MOMENT, "When it had lasted long enough."),
        Column(
            "ended_at",
            "if(how = '', NULL, over)",
            f"Nullable({MOMENT})",
            "When it was over; NULL: it is not.",
        ),
        Column("ending", "how", "String", "resolved; expired: nobody called any more; '' while it fires."),
        Column(
            "successes", "good", "Int64", "Numerator when it fired; contacts that were good, for a share."
        ),
        Column(
            "n", "counted", "Int64", "Of how many; for absence and seasonal, how many were to be expected."
        ),
        Column("window_s", "intDiv(length_ms, 1000)", "Int64", "Over how long, in seconds."),
    ]
    return create("alert", "Episodes of alerts, as they were decided.", columns, "alert")


def kpi_now(parameters: Mapping[str, object], columns: Sequence[Column], measures: Sequence[str]) -> str:
    """What waits and is handled at this moment; `columns` are expressions of t_<measure>, t_oldest_ms."""
    since = f"now64(3) - INTERVAL {LIVE_MINUTES + 1} MINUTE"
    near = near_legs(since, "now64(3)", str(parameters["acw_stale_ms"]))
    source = with_values(live(near).replace("{as_of_ms:Int64}", NOW_MS), parameters)
    recent = f"entered_ms >= {NOW_MS} - {LIVE_MINUTES * MINUTE_MS}"
    sums = [
        f"sumIf(m_{name}, {recent})" if name.startswith("live_") else f"sum(m_{name})" for name in measures
    ]
    totals = ", ".join(f"{text} AS t_{name}" for name, text in zip(measures, sums, strict=True))
    fixed = [
        Column("as_of", "now64(3, 'UTC')", MOMENT, "This moment."),
        *(Column(name, name, "String", f"The {name}; '' for none.") for name in ("channel", "queue")),
    ]
    some = " OR ".join(f"t_{name} != 0" for name in measures)
    comment = "What is waiting and being handled at this moment."
    parts = {"totals": totals, "source": source, "some": some}
    return create("kpi_now", comment, [*fixed, *columns], "kpi_now", **parts)
