"""Views that are not by period: facts without FINAL and deleted rows, the present moment, sources."""

# ruff: noqa: S608 -- names and expressions are ours

from collections.abc import Mapping, Sequence

from schemas.time_units import DAY_MS, MINUTE_MS
from sql.bookings import live
from sql.templates import compose, fill
from sql.views.period import NOW_MS, RIGHTS, Column, create, quoted, with_values

FREQUENT = 1_000
LIVE_MINUTES = 30
FACTS = {
    "contact": ("contacts", "Contacts, one a row."),
    "leg": ("legs", "Legs, one a row: a stint of a contact in a queue or with an agent."),
    "survey": ("surveys", "The survey answers that count, one a row."),
}
REPEATED = """ended_at IS NOT NULL AND ifNull(toUnixTimestamp64Milli(next_at)
        <= toUnixTimestamp64Milli(ended_at) + {0}, 0)"""
REPEAT = "ifNull(toUnixTimestamp64Milli(begins_at) <= toUnixTimestamp64Milli(previous_end_at) + {0}, 0)"
FINAL = "intDiv(toUnixTimestamp64Milli(ifNull(ended_at, begins_at)), 60000) * 60000 + 60000 + {0} <= {1}"


def plain(name: str, query: str, comment: str) -> str:
    """A view whose columns are those of the query."""
    return f"CREATE OR REPLACE VIEW {name} {RIGHTS} AS {query}\nCOMMENT {quoted(comment)}"


def fact_views() -> dict[str, str]:
    """The views of facts, without those that were taken back."""
    return {
        name: plain(
            name, f"SELECT * EXCEPT (version, is_deleted) FROM {table} FINAL WHERE is_deleted = 0", comment
        )
        for name, (table, comment) in FACTS.items()
    }


def repeat_contact(days: Sequence[int]) -> str:
    """Contacts of known customers, and for each length of the window what came of them."""
    flags = []
    for length in days:
        span = length * DAY_MS
        flags += [
            f"toUInt8(anchor AND {REPEATED.format(span)}) AS repeated_w{length}d",
            f"toUInt8(anchor AND (failed OR {REPEATED.format(span)})) AS failed_w{length}d",
            f"toUInt8({REPEAT.format(span)}) AS is_repeat_w{length}d",
            f"toUInt8({FINAL.format(span, NOW_MS)}) AS final_w{length}d",
        ]
    query = (
        f"SELECT * EXCEPT (version, is_deleted),\n    {', '.join(flags)}\nFROM fcr FINAL WHERE is_deleted = 0"
    )
    comment = "Inbound contacts of known customers, judged: did the customer come back within so many days?"
    return plain("repeat_contact", query, comment)


def window_as_published() -> str:
    """Windows as they were known at a moment: SELECT ... FROM window_as_published(moment = '...')."""
    comment = (
        "Windows as readers knew them at a moment, minute by minute, with their measures by name: "
        "SELECT * FROM window_as_published(moment = '2026-01-05 10:05:00')."
    )
    return plain("window_as_published", fill("views", "window_as_published"), comment)


def corrections_query(only: str = "1", measures: str = "1", near: str = "1") -> str:
    """Changes of published numbers: of these windows and measures, and events of these times."""
    return fill("views", "corrections", only=only, measures=measures, near=near)


def corrections() -> str:
    """All changes of published numbers."""
    comment = (
        "Changes of numbers after they had been published: when, which measure, from what to what, and the "
        "events that came (when it happened, contact, event, type, delay in ms)."
    )
    return plain("corrections", corrections_query(), comment)


def frequent_customer() -> str:
    """Customers that are more likely a switchboard or a test than a person."""
    query = fill("views", "frequent_customer", frequent=str(FREQUENT))
    return plain("frequent_customer", query, f"Customers with more than {FREQUENT:,} contacts.")


def source_health() -> str:
    """When each source was last heard of."""
    never = "nullIf({0}, toDateTime64(0, 3, 'UTC'))"
    columns = [
        Column("source", "source", "String", "The system that sends events."),
        Column("last_heartbeat_at", never.format("beat_at"), "Nullable(DateTime64(3, 'UTC'))",
               "Time of its last heartbeat, by its own clock."),
        Column("last_event_at", never.format("event_at"), "Nullable(DateTime64(3, 'UTC'))",
               "Time of its latest event, by its own clock."),
        Column("silent_s", f"greatest(intDiv({NOW_MS} - toUnixTimestamp64Milli(heard_at), 1000), 0)", "Int64",
               "Seconds since either."),
    ]  # fmt: skip
    return create("source_health", "When each source was last heard of.", columns, "source_health")


def kpi_now(parameters: Mapping[str, object], columns: Sequence[Column], measures: Sequence[str]) -> str:
    """What waits and is handled at this moment; `columns` are expressions of t_<measure>, t_oldest_ms."""
    open_or_new = compose(
        "views",
        "open_or_new_legs",
        minutes=str(LIVE_MINUTES + 1),
        acw_stale_ms=str(parameters["acw_stale_ms"]),
    )
    source = with_values(live(open_or_new).replace("{as_of_ms:Int64}", NOW_MS), parameters)
    recent = f"entered_ms >= {NOW_MS} - {LIVE_MINUTES * MINUTE_MS}"
    sums = [
        f"sumIf(m_{name}, {recent})" if name.startswith("live_") else f"sum(m_{name})" for name in measures
    ]
    totals = ", ".join(f"{text} AS t_{name}" for name, text in zip(measures, sums, strict=True))
    fixed = [
        Column("as_of", "now64(3, 'UTC')", "DateTime64(3, 'UTC')", "This moment."),
        *(Column(name, name, "String", f"The {name}; '' for none.") for name in ("channel", "queue")),
    ]
    some = " OR ".join(f"t_{name} != 0" for name in measures)
    comment = "What is waiting and being handled at this moment."
    parts = {"totals": totals, "source": source, "some": some}
    return create("kpi_now", comment, [*fixed, *columns], "kpi_now", **parts)
