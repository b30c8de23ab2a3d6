"""Events, output records and dead letters as rows of the ClickHouse tables.

Times stay integer milliseconds: the driver takes them as the ticks of DateTime64(3), no float in between.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import cache
from operator import itemgetter
from typing import Any

import orjson

from kpis.durations import BOOKED_BY, booked
from kpis.facts import AgentQuarter, ContactFact, FcrFact, LegDuration, LegFact, OfferFact, SurveyFact
from kpis.tallies.fcr import FCR_MEASURES
from kpis.tallies.windows import MEASURES
from schemas.checked import types_of
from schemas.codec import avro_fields
from schemas.events import AgentStateChanged, ContactEvent, SourceHeartbeat
from sinks.forgotten import COLUMNS as FORGOTTEN_COLUMNS
from sinks.rules_in_use import COLUMNS as RULES_COLUMNS

Row = Mapping[str, Any]
TableRow = tuple[str, list[Any]]
# Plain String columns of `events` are "" where the event type has no such field; the others are NULL.
PLAIN_TEXT = ("direction", "entry", "kind", "place", "by", "outcome", "respondent", "cause")
EVENT_COLUMNS = (
    "contact_id", "event_id", "revision", "revision_wide", "canonical", "type", "leg", "occurred_at",
    "source", "channel", "direction", "customer_key", "reason", "entry", "callback_of",
    "parent_contact_id", "queue", "agent", "team", "hold_no", "kind", "to_queue", "to_agent", "place",
    "by", "outcome", "level1_resolvable", "talk_ms", "hold_ms", "hold_n", "hold_max_ms", "acw_ms",
    "score", "scale_min", "scale_max", "higher_is_better", "respondent", "wait_ms", "dimensions",
    "ignored", "ring_ms", "cause", "merged_into", "undone", "to_contact_id",
)  # fmt: skip
WINDOW_COLUMNS = ("window_start", "channel", "queue", "partition", *MEASURES, "version")
FCR_WINDOW_COLUMNS = ("window_start", "channel", "queue", "days", "partition", *FCR_MEASURES, "version")
AGENT_EVENT_COLUMNS = (
    "agent", "event_id", "revision", "revision_wide", "canonical", "team", "state", "occurred_at", "source",
    "reason",
)  # fmt: skip
HEARTBEAT_COLUMNS = ("source", "occurred_at", "told_at")
PUBLISHED_COLUMNS = ("window_start", "channel", "queue", "days", "partition", "measures", "version")
ARRIVAL_COLUMNS = ("partition", "offset", "contact_id", "event_id", "type", "occurred_at", "arrived_at")


def fact_columns(fact: type) -> tuple[str, ...]:
    """Columns of a table that holds facts."""
    return (*(field.name for field in fields(fact)), "version", "is_deleted")


CONTACT_COLUMNS = fact_columns(ContactFact)
LEG_COLUMNS = fact_columns(LegFact)
SURVEY_COLUMNS = fact_columns(SurveyFact)
OFFER_COLUMNS = fact_columns(OfferFact)
DURATION_COLUMNS = fact_columns(LegDuration)
FCR_COLUMNS = fact_columns(FcrFact)
QUARTER_COLUMNS = fact_columns(AgentQuarter)
DEAD_LETTER_COLUMNS = (
    "partition", "offset", "origin", "position", "reason", "detail", "payload", "failed_at",
)  # fmt: skip
BLANK_TEXT = frozenset({
    "contact_id", "channel", "direction", "entry", "customer_key", "reason", "callback_of",
    "parent_contact_id", "consult_of", "forwarded_from", "end_type", "end_detail", "end_by",
    "entry_queue", "queue", "agent", "team", "kind", "respondent", "event_id", "outcome",
})  # fmt: skip
COLUMNS = {
    "events": EVENT_COLUMNS,
    "agent_events": AGENT_EVENT_COLUMNS,
    "heartbeats": HEARTBEAT_COLUMNS,
    "contacts": CONTACT_COLUMNS,
    "legs": LEG_COLUMNS,
    "surveys": SURVEY_COLUMNS,
    "kpi_windows": WINDOW_COLUMNS,
    "fcr": FCR_COLUMNS,
    "fcr_windows": FCR_WINDOW_COLUMNS,
    "agent_quarters": QUARTER_COLUMNS,
    "dead_letters": DEAD_LETTER_COLUMNS,
    "rules_in_use": RULES_COLUMNS,
    "forgotten": FORGOTTEN_COLUMNS,
    "published_windows": PUBLISHED_COLUMNS,
    "arrivals": ARRIVAL_COLUMNS,
    "offers": OFFER_COLUMNS,
    "leg_durations": DURATION_COLUMNS,
}
# Not what is, but what was known, with the time of it: kept for as long as RINGBACK_CORRECTIONS_DAYS says.
HISTORY_TABLES = {"published_windows": "published_at", "arrivals": "arrived_at"}
FACT_TABLES: dict[str, type] = {
    "contacts": ContactFact,
    "legs": LegFact,
    "surveys": SurveyFact,
    "fcr": FcrFact,
    "agent_quarters": AgentQuarter,
    "offers": OfferFact,
    "leg_durations": LegDuration,
}
FACT_KEYS = {
    "contacts": ("contact_id",),
    "legs": ("contact_id", "leg"),
    "surveys": ("contact_id", "kind", "respondent"),
    "fcr": ("customer_key", "contact_id"),
    "agent_quarters": ("agent", "window_start"),
    "offers": ("contact_id", "event_id"),
    "leg_durations": ("kind", "booked_at", "contact_id", "leg"),
}
KEYS = frozenset({"version"}.union(*FACT_KEYS.values()))
LEAST = dict.fromkeys(("version", "leg", "legs", "transfers", "partition", "offset", "position"), 0)
MOST = {"version": 2**64} | dict.fromkeys(("leg", "legs", "transfers", "partition"), 2**32)
NO_MEASURES = dict.fromkeys(MEASURES, 0)
NO_FCR_MEASURES = dict.fromkeys(FCR_MEASURES, 0)
BLANK_EVENT = {column: "" if column in PLAIN_TEXT else None for column in EVENT_COLUMNS} | {
    "revision_wide": 0
}


@cache
def picked(columns: tuple[str, ...]) -> Callable[[Row], tuple[Any, ...]]:
    """Takes these columns out of a mapping, three times as fast as one after the other."""
    return itemgetter(*columns)


def event_row(event: ContactEvent, canonical: bytes) -> list[Any]:
    """Row of `events`."""
    fields = avro_fields(event)
    apart = {"canonical": canonical, "dimensions": fields.get("dimensions") or {}}
    return [*picked(EVENT_COLUMNS)(BLANK_EVENT | fields | apart)]


def agent_event_row(event: AgentStateChanged, canonical: bytes) -> list[Any]:
    """Row of `agent_events`."""
    return [
        *picked(AGENT_EVENT_COLUMNS)({"revision_wide": 0} | avro_fields(event) | {"canonical": canonical})
    ]


def heartbeat_row(event: SourceHeartbeat, told_at: int) -> list[Any]:
    """Row of `heartbeats`; `told_at` is when Kafka got it, UTC milliseconds."""
    return [event.source, event.occurred_at, max(told_at, 0)]


def fact_row(columns: tuple[str, ...], fact: Row, version: int) -> list[Any]:
    """Row of a fact as it stands."""
    return [*picked(columns[:-2])(fact), version, 0]


def deleted_row(columns: tuple[str, ...], key: Row, version: int) -> list[Any]:
    """Row that says that the fact with this key is no more; the other columns do not matter."""
    return [*(key.get(column, blank(column)) for column in columns[:-2]), version, 1]


def blank(column: str) -> Any:
    """A value that a column of a deleted row can hold."""
    if column in ("flags", "dimensions"):
        return [] if column == "flags" else {}
    return "" if column in BLANK_TEXT else 0


def fact_rows(document: Row) -> Iterable[TableRow]:
    """(table, row) for each fact in an output record, and for each that is gone."""
    version, contact_id, gone = document["version"], document["contact_id"], document["gone"]
    if document["contact"] is not None:
        yield "contacts", fact_row(CONTACT_COLUMNS, document["contact"], version)
    for leg in document["legs"]:
        yield "legs", fact_row(LEG_COLUMNS, leg, version)
        for kind, at in booked(*picked(BOOKED_BY)(leg)):
            yield "leg_durations", fact_row(DURATION_COLUMNS, {**leg, "kind": kind, "booked_at": at}, version)
    for survey in document["surveys"]:
        yield "surveys", fact_row(SURVEY_COLUMNS, survey, version)
    for offer in document.get("offers", ()):
        yield "offers", fact_row(OFFER_COLUMNS, offer, version)
    if gone["contact"]:
        yield "contacts", deleted_row(CONTACT_COLUMNS, {"contact_id": contact_id}, version)
    for number in gone["legs"]:
        yield "legs", deleted_row(LEG_COLUMNS, {"contact_id": contact_id, "leg": number}, version)
    for kind, respondent in gone["surveys"]:
        key = {"contact_id": contact_id, "kind": kind, "respondent": respondent}
        yield "surveys", deleted_row(SURVEY_COLUMNS, key, version)
    for event_id in gone.get("offers", ()):
        yield "offers", deleted_row(OFFER_COLUMNS, {"contact_id": contact_id, "event_id": event_id}, version)
    for leg, kind, at in gone.get("durations", ()):
        key = {"kind": kind, "booked_at": at, "contact_id": contact_id, "leg": leg}
        yield "leg_durations", deleted_row(DURATION_COLUMNS, key, version)


def window_row(document: Row) -> list[Any]:
    """Row of `kpi_windows`."""
    return [*picked(WINDOW_COLUMNS)(NO_MEASURES | document["measures"] | document)]


def published_row(table: str, row: list[Any]) -> list[Any] | None:
    """Row of `published_windows` for a row of windows; None for one of another table."""
    if table == "kpi_windows":
        start, channel, queue, partition, *sums, version = row
        days, names = 0, MEASURES
    elif table == "fcr_windows":
        start, channel, queue, days, partition, *sums, version = row
        names = FCR_MEASURES
    else:
        return None
    measures = {name: value for name, value in zip(names, sums, strict=True) if value}
    return [start, channel, queue, days, partition, measures, version]


def fcr_window_rows(document: Row) -> list[list[Any]]:
    """Rows of `fcr_windows`: one for each length of the window."""
    return [
        [
            document["window_start"],
            document["channel"],
            document["queue"],
            int(days),
            document["partition"],
            *picked(FCR_MEASURES)(NO_FCR_MEASURES | measures),
            document["version"],
        ]
        for days, measures in document["days"].items()
    ]


def fcr_row(document: Row) -> list[Any]:
    """Row of `fcr`: a contact among its customer's contacts, or that it is none of them."""
    if document["fact"] is None:
        return deleted_row(FCR_COLUMNS, document, document["version"])
    return fact_row(FCR_COLUMNS, document["fact"], document["version"])


def quarter_row(document: Row) -> list[Any]:
    """Row of `agent_quarters`: what an agent did, or that it was nothing."""
    if document["quarter"] is None:
        return deleted_row(QUARTER_COLUMNS, document, document["version"])
    return fact_row(QUARTER_COLUMNS, document["quarter"], document["version"])


def dead_letter_row(partition: int, offset: int, value: bytes) -> list[Any]:
    """Row of `dead_letters`."""
    document = orjson.loads(value)
    return [
        partition,
        offset,
        document["origin"],
        document["position"],
        document["reason"],
        document["detail"],
        base64.b64decode(document["payload"]),
        document["failed_at"],
    ]


@cache
def column_checks(table: str) -> tuple[tuple[str, frozenset[type], int, int], ...]:
    """Columns of a table of the stream's, types that values may have, and bounds of integers."""
    known = types_of(FACT_TABLES[table]) if table in FACT_TABLES else {}
    text = {"channel", "queue", "origin", "reason", "detail"}
    by_name = {"payload": frozenset((bytes,)), **{name: frozenset((str,)) for name in text}}
    number = frozenset((int,))
    return tuple(
        (
            column,
            known.get(column, by_name.get(column, number)),
            LEAST.get(column, -(2**63)),
            MOST.get(column, 2**63),
        )
        for column in COLUMNS[table]
    )


def checked_row(table: str, row: list[Any]) -> list[Any]:
    """The row, if ClickHouse can take it: of the types of its columns, and in their range. Raises TypeError.

    Of deleted rows only the key matters; the rest of them is ours.
    """
    for value, (column, allowed, least, beyond) in zip(row, column_checks(table), strict=True):
        kind = type(value)
        if kind not in allowed and (row[-1] != 1 or column in KEYS):
            raise TypeError(f"{table}.{column} is of a wrong type")
        if kind is int:  # as nearly all values are
            if not least <= value < beyond:
                raise TypeError(f"{table}.{column} is out of range")
        elif kind is list and not all(type(item) is str for item in value):
            raise TypeError(f"{table}.{column} is no list of text")
        elif kind is dict and not all(type(item) is str for item in value.values()):
            raise TypeError(f"{table}.{column} is no table of text")
    return row
