"""A random world, its facts, and a ClickHouse that holds them as the stream would."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from clickhouse_connect.driver.client import Client
from support.calendars import CALENDARS
from support.clickhouse import load
from support.durations import durations_of
from support.evaluate import World, fcr_facts, quarters
from support.stories import told_contacts
from support.worlds import BASE_MS, DATED, random_contact

from kpis.catalogue.every_kpi import every_kpi
from kpis.facts import AgentQuarter, ContactFact, Facts, FcrFact, LegFact, OfferFact, SurveyFact
from kpis.rules import FcrRules, Rules
from kpis.tallies.fcr import FCR_MEASURES, by_days, fcr_contribution
from kpis.tallies.windows import MEASURES, contribution
from schemas.events import AgentStateChanged, ContactEvent, ContactRejected, ContactSurveyed
from schemas.time_units import DAY_MS
from sinks import rows

SEED = 20_260_120
CONTACTS = 400
RULES = Rules(
    service_level_by_queue_ms={"B": 5_000},
    stale_async_ms=2 * DAY_MS,
    fcr=FcrRules(
        windows_days=(1, 3, 7), dated_days=((BASE_MS + DAY_MS + 3_600_000, 1), (BASE_MS + 2 * DAY_MS, 3))
    ),
    calendars=CALENDARS,
    calendar_by_queue={"A": "office"},
    calendar_default="night",
    dated=DATED,
)
KPIS = every_kpi(RULES)
RANGE = (BASE_MS - 2 * DAY_MS, BASE_MS + 8 * DAY_MS)
AS_OF, LATER = BASE_MS + 2 * DAY_MS, BASE_MS + 9 * DAY_MS
DIMENSIONS = ("channel", "queue", "agent", "team", "reason")
SCALES = {
    "csat": ((1, 5), (1, 7), (1, 10), (1, 3), (0, 1), (10, 50), (100, 1_000), (0, 100), (1, 20), (-3, 3)),
    "nps": ((0, 10), (0, 100), (0, 1_000)), "ces": ((1, 7), (1, 5), (10, 70), (100, 500)),
    "aes": ((1, 5), (10, 50)), "fcr": ((0, 1),),
}  # fmt: skip
Row = dict[str, Any]


@dataclass
class Stored:
    """A world, its facts, and a ClickHouse that holds them as the stream would."""

    client: Client
    world: World
    facts: list[Facts]
    fcr: list[FcrFact] = field(default_factory=list)
    quarters: list[AgentQuarter] = field(default_factory=list)

    @property
    def surveys(self) -> list[SurveyFact]:
        return [survey for one in self.facts for survey in one.surveys]

    @property
    def offers(self) -> list[OfferFact]:
        return [offer for one in self.facts for offer in one.offers]

    @property
    def legs(self) -> list[LegFact]:
        return [leg for one in self.facts for leg in one.legs]

    @property
    def contacts(self) -> list[ContactFact]:
        return [one.contact for one in self.facts if one.contact]


def random_state(rng: random.Random, number: int) -> AgentStateChanged:
    return AgentStateChanged(
        event_id=f"s{number}", agent=rng.choice(("ann", "bob", "'; --")), team=rng.choice((None, "t1", "t3")),
        state=rng.choice(("available", "available", "busy", "break", "training", "meeting", "offline")),
        reason=rng.choice((None, None, "lunch", "fault")),
        occurred_at=BASE_MS + rng.randrange(4 * DAY_MS), source="world",
    )  # fmt: skip


def random_survey(rng: random.Random, about: ContactEvent, number: int) -> ContactSurveyed:
    """An answer to any question; the contacts of `random_contact` ask only some. One in ten is late."""
    kind = rng.choice([*SCALES])
    low, high = rng.choice(SCALES[kind])
    return ContactSurveyed(
        event_id=f"answer{number}", contact_id=about.contact_id, channel=about.channel, source="world",
        occurred_at=about.occurred_at + rng.choice((0, 60_000, DAY_MS, *(31 * DAY_MS,) * (number % 2))),
        kind=kind, respondent="agent" if kind == "aes" else "customer",  # type: ignore[arg-type]
        score=rng.randint(low, high), scale_min=low, scale_max=high, higher_is_better=rng.random() < 0.7,
    )  # fmt: skip


def turned_away() -> dict[str, list[ContactEvent]]:
    """A contact for each cause of a rejection: at random there are few."""
    causes = ("closed", "full", "empty", "blocked", "other")
    return {
        f"turned-{cause}": [
            ContactRejected(
                event_id="e", contact_id=f"turned-{cause}", occurred_at=BASE_MS + number * 7_000,
                source="world", cause=cause, queue="A",  # type: ignore[arg-type]
            )
        ]
        for number, cause in enumerate(causes)
    }  # fmt: skip


def make_world(rng: random.Random) -> World:
    contacts = {f"k{number}": random_contact(rng, f"k{number}") for number in range(CONTACTS)}
    contacts |= told_contacts()
    for events in contacts.values():
        events += [random_survey(rng, events[0], number) for number in range(rng.choice((0, 1, 2)))]
    contacts |= turned_away()
    return World(contacts, [random_state(rng, number) for number in range(200)], RULES)


def store(client: Client, world: World) -> Stored:
    """Facts and windows in the stream's tables, the latter spread over partitions; raw events as well."""
    found = Stored(client, world, world.facts())
    found.fcr, found.quarters = fcr_facts(found.facts, world.rules), quarters(world)
    tables = {"legs": found.legs, "contacts": found.contacts, "surveys": found.surveys, "fcr": found.fcr,
              "agent_quarters": found.quarters, "offers": found.offers,
              "leg_durations": durations_of(found.legs)}  # fmt: skip
    for table, facts in tables.items():
        names = [item.name for item in fields(facts[0])] if facts else []
        lines = [[*(getattr(fact, name) for name in names), 1, 0] for fact in facts]
        if lines:
            client.insert(table, lines, column_names=[*names, "version", "is_deleted"])
    store_windows(client, found)
    load(client, (event for events in world.contacts.values() for event in events))
    store_states(client, world.states)
    return found


def store_windows(client: Client, found: Stored) -> None:
    sums: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * len(MEASURES))
    for number, facts in enumerate(found.facts):
        for window, tally in contribution(facts, found.world.rules).items():
            total_ = sums[(*window, number % 3)]
            total_[:] = [a + b for a, b in zip(total_, tally, strict=True)]
    if sums:
        client.insert("kpi_windows", [[*key, *tally, 1] for key, tally in sums.items()],
                      column_names=rows.WINDOW_COLUMNS)  # fmt: skip
    judged: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * len(FCR_MEASURES))
    for fact in found.fcr:
        for window, days, sums_ in fcr_bookings(fact, found.world.rules):
            row = judged[(*window, days, len(fact.contact_id) % 2)]
            row[:] = [a + sums_[name] for a, name in zip(row, FCR_MEASURES, strict=True)]
    columns = ("window_start", "channel", "queue", "days", "partition", *FCR_MEASURES, "version")
    if judged:
        lines = [[*key, *tally, 1] for key, tally in judged.items()]
        client.insert("fcr_windows", lines, column_names=columns)


def fcr_bookings(fact: FcrFact, rules: Rules) -> Iterator[tuple[Any, int, Row]]:
    for window, tally in fcr_contribution(fact, rules.fcr).items():
        for days, amounts in by_days(tally, rules.fcr):
            yield window, days, dict(zip(FCR_MEASURES, amounts, strict=True))


def store_states(client: Client, states: list[AgentStateChanged]) -> None:
    names = ("agent", "event_id", "revision", "team", "state", "occurred_at", "source", "reason")
    lines = [[*(getattr(state, name) for name in names), b"x"] for state in states]
    if lines:
        client.insert("agent_events", lines, column_names=[*names, "canonical"])
