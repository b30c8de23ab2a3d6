"""What published numbers were changed, when, and by which events."""

from dataclasses import dataclass
from typing import Any

from clickhouse_connect.driver.client import Client

from reports.explain.reading import Asked, NoExplanation
from reports.queries import rows, utc
from sinks.views.sources import days_at
from sql.verify_queries import within_ms
from sql.views.others import corrections_query


@dataclass(frozen=True, slots=True)
class Correction:
    """A measure of a window that was changed after it had been published, and the events that came."""

    corrected_at: str
    window_start: str
    channel: str
    queue: str
    measure: str
    old_value: int
    new_value: int
    cause: str
    events: tuple[dict[str, Any], ...]


def corrections_of(client: Client, asked: Asked) -> list[Correction]:
    """Changes of the measures that a KPI is made of, in their order. Raises NoExplanation."""
    kpi = asked.kpi
    if kpi.table not in ("windows", "fcr"):
        raise NoExplanation(
            f"{kpi.id} is read from facts: of what it was before nothing is kept. Corrections are known of "
            "KPIs that are sums of windows, such as service_level"
        )
    days = "0" if kpi.table != "fcr" else days_at(kpi, "toUnixTimestamp64Milli(window_start)")
    only = [within_ms("window_start"), f"days = {days}"]
    only += [
        f"{name} = {{{name}:String}}" for name in ("channel", "queue") if getattr(asked, name) is not None
    ]
    values = {
        "from_ms": asked.from_ms,
        "to_ms": asked.to_ms,
        "channel": asked.channel or "",
        "queue": asked.queue or "",
        "names": [*kpi.num, *kpi.den],
    }
    query = corrections_query(
        " AND ".join(only), "measure IN {names:Array(String)}", within_ms("occurred_at")
    )
    found = rows(client, f"SELECT * FROM ({query}) ORDER BY corrected_at, window_start, measure", values)  # noqa: S608
    return [correction(row) for row in found]


def correction(row: dict[str, Any]) -> Correction:
    """A row, with its events as documents."""
    events = tuple(
        {"type": kind, "contact_id": contact, "event_id": event, "at": utc(at), "delay_ms": int(delay)}
        for at, contact, event, kind, delay in row["events"]
    )
    return Correction(
        utc(row["corrected_at"]),
        utc(row["window_start"]),
        row["channel"],
        row["queue"],
        row["measure"],
        row["old_value"],
        row["new_value"],
        row["cause"],
        events,
    )
