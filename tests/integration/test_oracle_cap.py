"""The oracle and contacts with very many events: it counts the same ones as the stream, in linear time."""

import random
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from support.clickhouse import connect, load
from support.durations import durations_of
from support.worlds import random_contact
from test_oracle import plain

from kpis.facts import NO_FACTS
from kpis.fold.events import fold, unique
from kpis.rules import Rules
from reports.oracle import MEMORY_BYTES
from schemas.events import ContactEvent, ContactHeld, ContactQueued, ContactSurveyed
from sinks.rule_parameters import rule_parameters
from sql import oracle_queries as oracle

pytestmark = pytest.mark.stack

BEGIN_MS = 1_772_000_000_000


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    made = connect(tmp_path_factory.mktemp("cap") / "db")
    yield made
    made.close()


def rows(client: Client, relation: str, rules: Rules) -> list[dict[str, Any]]:
    result = client.query(
        f"SELECT * FROM {relation}",
        parameters=rule_parameters(rules),
        settings=oracle.settings(MEMORY_BYTES) | oracle.WIDE,
    )
    return [dict(zip(result.column_names, map(plain, row), strict=True)) for row in result.result_rows]


def ordered(found: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(sorted(row.items())) for row in found)


@pytest.mark.parametrize("most", [3, 8])
def test_the_oracle_counts_the_events_that_the_stream_counts(client: Client, most: int) -> None:
    rng = random.Random(most)
    rules = Rules(contact_max_events=most)
    contacts = {f"k{number}": random_contact(rng, f"k{number}") for number in range(400)}
    load(client, (event for events in contacts.values() for event in events))
    facts = [
        fold(kept, rules) if kept else NO_FACTS
        for events in contacts.values()
        for kept in [sorted(unique(events), key=lambda event: event.event_id)[:most]]
    ]
    assert any(len(unique(events)) > most for events in contacts.values())
    expected = {
        "legs": [asdict(leg) for one in facts for leg in one.legs],
        "leg_durations": [asdict(item) for one in facts for item in durations_of(one.legs)],
        "surveys": [asdict(survey) for one in facts for survey in one.surveys],
        "offers": [asdict(offer) for one in facts for offer in one.offers],
        "contacts": [asdict(one.contact) for one in facts if one.contact],
    }
    for table, relation in (
        ("legs", oracle.legs),
        ("leg_durations", lambda folded: oracle.leg_durations(oracle.legs(folded))),
        ("surveys", oracle.surveys),
        ("offers", oracle.offers),
        ("contacts", oracle.contacts),
    ):
        columns = expected[table][0].keys()
        found = [{k: row[k] for k in columns} for row in rows(client, relation(oracle.fold()), rules)]
        assert ordered(found) == ordered(expected[table]), table


def hostile(holds: int) -> list[ContactEvent]:
    """A contact of very many holds, one of as many legs, each of which also has answers."""
    common = {"occurred_at": BEGIN_MS, "source": "l"}
    return [
        *(ContactHeld(event_id=f"h{n}", contact_id="holds", hold_no=n + 1, **common) for n in range(holds)),
        *(
            ContactQueued(event_id=f"q{n}", contact_id="legs", leg=n + 1, queue="q", **common)
            for n in range(holds)
        ),
        *(
            ContactSurveyed(
                event_id=f"s{n}", contact_id="legs", kind="csat", score=1, scale_min=1, scale_max=5, **common
            )
            for n in range(holds)
        ),
    ]  # type: ignore[arg-type]


def test_time_and_memory_are_linear_in_a_contact_s_events(client: Client) -> None:
    """With 20,000 of each; looked up one by one this took 20,000 x 20,000 x 4 bytes and more."""
    load(client, hostile(20_000))
    rules = replace(Rules(), contact_max_events=100_000)
    since = time.monotonic()
    assert len(rows(client, oracle.legs(oracle.fold()), rules)) == 20_001
    assert len(rows(client, oracle.surveys(oracle.fold()), rules)) == 1
    print(f"{time.monotonic() - since:.1f} s")
