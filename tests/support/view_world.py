"""A ClickHouse with facts and windows of some weeks of nasty contacts, for tests of the views."""

import random
import time
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from clickhouse_connect.driver.client import Client
from support.durations import durations_of
from support.worlds import BASE_MS, DATED, random_contact

from kpis.facts import AgentQuarter, FcrFact
from kpis.fcr.customer_contacts import judge
from kpis.fcr.visit import visit_of
from kpis.fold.events import fold
from kpis.rules import FcrRules, Rules
from kpis.tallies.fcr import FCR_MEASURES, by_days, fcr_contribution
from kpis.tallies.windows import MEASURES, contribution
from schemas.time_units import DAY_MS
from sinks import rows

Row = dict[str, Any]
T = TypeVar("T")
# In the middle of what `recent_world` makes of the last 48 days.
DATE = time.time_ns() // 1_000_000 // DAY_MS * DAY_MS - 20 * DAY_MS
RULES = Rules(
    service_level_by_queue_ms={"B": 5_000},
    dated=(replace(DATED[0], from_ms=DATE),),
    fcr=FcrRules(dated_days=((DATE, 3),)),
)


def query(client: Client, sql: str) -> list[Row]:
    result = client.query(sql)
    return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]


def ms(moment: datetime) -> int:
    """Milliseconds of a moment, or of one without a zone that is UTC, as the driver says it."""
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def insert(client: Client, table: str, facts: Iterable[Any]) -> None:
    found = [*facts]
    columns = (*(field.name for field in fields(found[0])), "version", "is_deleted")
    client.insert(table, [rows.fact_row(columns, asdict(fact), 1) for fact in found], column_names=columns)


def shifted(fact: T, by_ms: int) -> T:
    """The same fact at another time."""
    times = [field.name for field in fields(fact) if field.name.endswith(("_at", "window_start"))]  # type: ignore[arg-type]
    moved = {name: getattr(fact, name) + by_ms for name in times if getattr(fact, name) is not None}
    return replace(fact, **moved)  # type: ignore[type-var]


def store_world(client: Client, shift_ms: int) -> list[FcrFact]:
    """Weeks of nasty contacts, as the stream stores them; the judged ones."""
    rng = random.Random(20_260_107)
    folded = [fold(random_contact(rng, f"k{number}"), RULES) for number in range(1_500)]
    # Weeks apart: those that others call back first, and many of the last days, open for every window.
    days = [0 if number < 40 else rng.choice((rng.randrange(46), 45)) for number in range(len(folded))]
    by = [shift_ms + day * DAY_MS for day in days]
    contacts = [shifted(f.contact, d) for f, d in zip(folded, by, strict=True) if f.contact]
    legs = [shifted(leg, d) for f, d in zip(folded, by, strict=True) for leg in f.legs]
    surveys = [shifted(survey, d) for f, d in zip(folded, by, strict=True) for survey in f.surveys]
    offers = [shifted(offer, d) for f, d in zip(folded, by, strict=True) for offer in f.offers]
    visits = [visit for contact in contacts if (visit := visit_of(contact))]
    keys = sorted({visit.customer_key for visit in visits})
    judged = [f for key in keys for f in judge([v for v in visits if v.customer_key == key], RULES.fcr)]
    for table in (
        "kpi_windows",
        "agent_quarters",
        "legs",
        "leg_durations",
        "contacts",
        "surveys",
        "offers",
        "fcr",
        "fcr_windows",
    ):
        client.command(f"TRUNCATE TABLE {table}")
    for table, facts in (
        ("contacts", contacts),
        ("legs", legs),
        ("leg_durations", durations_of(legs)),
        ("surveys", surveys),
        ("offers", offers),
        ("fcr", judged),
    ):
        insert(client, table, facts)
    quarters = [
        AgentQuarter(
            agent=agent,
            window_start=BASE_MS + shift_ms + number * 900_000,
            team="t1",
            busy_ms=rng.randrange(9),
            session_ms=rng.randrange(9),
            logged_ms=rng.randrange(9),
            idle_ms=rng.randrange(9),
            logged_busy_ms=rng.randrange(9),
            sessions=rng.randrange(2),
        )
        for agent in ("ann", "bob")
        for number in range(200)
    ]
    insert(client, "agent_quarters", quarters)
    store_agent_states(client, shift_ms)
    lines = []
    for number, (facts, day) in enumerate(zip(folded, by, strict=True)):
        moved = replace(  # limits go by when the contact entered
            facts,
            contact=shifted(facts.contact, day) if facts.contact else None,
            legs=tuple(shifted(leg, day) for leg in facts.legs),
            offers=tuple(shifted(offer, day) for offer in facts.offers),
        )
        for window, tally in contribution(moved, RULES).items():
            lines.append([window.start, window.channel, window.queue, number, *tally, 1])
    columns = ("window_start", "channel", "queue", "partition", *MEASURES, "version")
    client.insert("kpi_windows", lines, column_names=columns)
    lines = []
    for number, fact in enumerate(judged):
        for window, tally in fcr_contribution(fact, RULES.fcr).items():
            for days, part in by_days(tally, RULES.fcr):
                lines.append([window.start, window.channel, window.queue, days, number, *part, 1])
    columns = ("window_start", "channel", "queue", "days", "partition", *FCR_MEASURES, "version")
    client.insert("fcr_windows", lines, column_names=columns)
    return judged


def store_agent_states(client: Client, shift_ms: int) -> None:
    """States of two agents over weeks; the last began days ago."""
    client.command("TRUNCATE TABLE agent_events")
    rng = random.Random(20_260_108)
    columns = (
        "agent",
        "event_id",
        "revision",
        "canonical",
        "team",
        "state",
        "occurred_at",
        "source",
        "reason",
    )
    states = ("available", "busy", "break", "training", "meeting", "offline")
    begin = BASE_MS + shift_ms
    lines = [
        [agent, f"s{number}", 0, b"", rng.choice((None, "t1")), rng.choice(states),
         begin + number * 17_000_000 + rng.randrange(9_000_000), "world", rng.choice((None, "lunch"))]
        for agent in ("ann", "cleo") for number in range(228)
    ]  # fmt: skip
    client.insert("agent_events", lines, column_names=columns)


def recent_world(client: Client) -> list[FcrFact]:
    """Contacts that began in the last 48 days: what is final depends on the present moment."""
    now = ms(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    return store_world(client, now - 48 * DAY_MS - BASE_MS)
