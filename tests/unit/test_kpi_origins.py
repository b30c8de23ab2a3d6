"""What the registry says of every KPI is true: which events it comes from, which settings change it.

Tried on the cases of public reports, a simulated centre and a random world: each event of a contact is added
in order of time, each setting is changed, and what moves a KPI must be among what it says of itself.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from support.cases import case_names, read_case, world_of
from support.evaluate import World, sums_of
from support.kpi_world import AS_OF, LATER
from support.notation import BASE_MS, read_events

from kpis.business_hours import Calendar
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi, total
from kpis.catalogue.origin import Origin, origin, settings_of
from kpis.fold.events import fold
from kpis.rules import DEFAULT_RULES, FcrRules, Rules
from kpis.tallies.surveys import survey_measures
from kpis.tallies.windows import additions
from schemas.event_order import order_key
from schemas.events import AgentStateChanged, ContactEvent, Event
from schemas.time_units import DAY_MS, HOUR_MS
from simulator.simulation import Simulation

QUOTIENTS = {kpi.id: kpi for kpi in every_kpi(DEFAULT_RULES).values() if kpi.figure is None}
BY_CONTACT = ("windows", "surveys")  # what a contact alone adds to
Moves = dict[str, set[str]]  # measure -> types of events


@cache
def told() -> tuple[Event, ...]:
    """Events of which every type is among them."""
    events = [event for name in case_names() for event in read_case(name).events]
    return (*events, *Simulation(3, contacts=150).events())


def amounts(events: list[ContactEvent]) -> dict[tuple[Any, ...], int]:
    """What a contact adds: by measure and when, whatever the queue."""
    facts = fold(events)
    found: defaultdict[tuple[Any, ...], int] = defaultdict(int)
    for window, row in additions(facts, DEFAULT_RULES).items():
        for name, amount in row.items():
            found[name, window.start, window.channel] += amount
    for survey in facts.surveys:
        for name, amount in survey_measures(survey).items():
            found[name, survey.booked_at, survey.responded_at] += amount
    return found


@cache
def moves() -> Moves:
    """Of each measure the types of events that change it when they come, in order of time."""
    found: Moves = defaultdict(set)
    for events in world_of(told()).contacts.values():
        line, before = sorted(events, key=order_key), {}
        for number, event in enumerate(line):
            after = amounts(line[: number + 1])
            for key in before.keys() | after.keys():
                if before.get(key, 0) != after.get(key, 0):
                    found[key[0]].add(event.type)
            before = after
    return found


def unsaid(kpi: Kpi, said: Origin) -> set[str]:
    """Types of events that move a KPI, and that it does not name."""
    seen = {type_ for name in (*kpi.num, *kpi.den) for type_ in moves().get(name, ())}
    return seen - {*said.needs, *said.moved_by}


def test_every_kpi_names_the_events_that_move_it() -> None:
    assert len({event.type for event in told()}) >= 18
    wrong = {kpi.id: found for kpi in QUOTIENTS.values() if (found := unsaid(kpi, origin(kpi)))}
    assert not wrong, wrong


def test_an_event_that_is_not_named_is_found() -> None:
    asa = QUOTIENTS["asa"]
    assert unsaid(asa, Origin(("contact_queued",))) >= {"contact_answered", "contact_withdrawn"}
    assert "contact_rejected" in unsaid(QUOTIENTS["rejected.full"], Origin(("contact_started",)))


RULES = replace(DEFAULT_RULES, fcr=FcrRules(windows_days=(1, 3, 7), default_days=3))
OFFICE = Calendar("UTC", (((9 * HOUR_MS, 17 * HOUR_MS),),) * 7)
CHANGED: dict[str, list[Rules]] = {
    "service_level_s": [replace(RULES, service_level_ms={}, service_level_default_ms=9_000)],
    "short_abandon_s": [replace(RULES, short_abandon_ms=20_000)],
    "async_channels": [replace(RULES, async_channels=("email", "chat"))],
    "stale_after_h": [replace(RULES, stale_ms=60 * DAY_MS)],
    "stale_after_async_h": [replace(RULES, stale_async_ms=HOUR_MS)],
    "survey_late_h": [replace(RULES, survey_late_ms=HOUR_MS)],
    "agent_state_max_h": [replace(RULES, agent_state_max_ms=HOUR_MS)],
    "acw_stale_s": [replace(RULES, acw_stale_ms=9 * HOUR_MS)],
    "calendars": [replace(RULES, calendars={"office": OFFICE}, calendar_default="office")],
    "fcr": [
        replace(RULES, fcr=replace(RULES.fcr, **change))
        for change in (
            {"match_reason": False},
            {"evidence": "handled"},
            {"anchors": "closed"},
            {"begin": "entered"},
            {"min_gap_ms": HOUR_MS},
        )
    ],
}


RATED = (
    "csat@90000{score=4}", "csat@90000{score=6 scale_max=7}", "csat@90000{score=9 scale_max=10}",
    "nps@90000{score=9 scale_min=0 scale_max=10}", "ces@90000{score=6 scale_max=7}", "ces@90000{score=4}",
    "aes@90000{score=2 respondent=agent}", "fcr@90000{score=1 scale_min=0 scale_max=1}",
)  # fmt: skip
# At noon, and again within the hour, left after 10 s.
CALLED = "s@43200{customer_key=ada}, q@43200, a@43215, res@43300"
STORIES = (
    ("voice", CALLED),
    ("voice", "s[ivr]@46000{customer_key=ada}, q@46000, ab[queue]@46010"),
    ("voice", "s@-3456000, q@-3456000"),
    ("voice", "s@172000, q@172000"),
    ("voice", "s@3600, q@3600, a@3630, res@3700"),
    ("voice", "s@100000, q@100000, a@100010{agent=ann}"),
    ("voice", "s@158000, q@158000, a@158010{agent=ann}, res@158300"),
    ("chat", "s@-3456000"),
    ("chat", "s@90000, q@90000, a@90010{agent=ann}, res@90100"),
    ("chat", "s@172700, q@172700, a@172710{agent=ann}"),
    ("chat", "s@172500, q@172500, a@172510, res@172700"),
    ("chat", "s@100000, q@100000"),
    ("chat", "s@100000, q@100000, a@100010"),
    ("chat", "s@101000, q@101000, a@101010{agent=ann}, res@101500"),
    ("chat", "s@43200{customer_key=bob}, q@43200, a@43210, res@43300; #2 q@43400, a@43410, res@43500"),
    ("email", "s@43200, q@43200, a@86400, res@90000; #2 reopened@95000, a@96000, res@97000"),
    ("email", "s@100000, q@100000"),
    ("email", "s@100000, q@100000, a@100010"),
    *(("voice", f"s@43200, q@43200, a@43215, res@43300, sv[{answer}") for answer in
      (one.replace("@", "]@", 1) for one in RATED)),
)  # fmt: skip
STATES = {86_400: "available", 100_000: "break", 110_000: "training", 120_000: "meeting", 130_000: "offline"}


@cache
def a_few() -> World:
    """Contacts and states of which each rule changes something."""
    contacts = {f"k{at}": read_events(text, channel, f"k{at}") for at, (channel, text) in enumerate(STORIES)}
    states = [
        AgentStateChanged(
            event_id=state,
            agent="ann",
            state=state,
            occurred_at=BASE_MS + at * 1_000,
            source="world",  # type: ignore[arg-type]
        )
        for at, state in STATES.items()
    ]
    return World(contacts, states, RULES)


def readings(rules: Rules) -> Iterator[tuple[str, int, tuple[int, int]]]:
    """Every quotient by these rules, at moments while all goes on and after."""
    world = replace(a_few(), rules=rules)
    for as_of in (BASE_MS + 30 * HOUR_MS, AS_OF, LATER + 30 * DAY_MS):
        known: dict[Any, dict[str, int]] = {}
        for kpi in every_kpi(rules).values():
            if kpi.figure is None:
                kind = (kpi.table, kpi.applies, kpi.days, kpi.maturity)
                sums = known[kind] = known.get(kind) or sums_of(kpi, world, as_of)
                yield kpi.id, as_of, (total(kpi.num, sums), total(kpi.den, sums))


@pytest.mark.parametrize("setting", CHANGED)
def test_every_kpi_names_the_settings_that_change_it(setting: str) -> None:
    before = plain()
    changed = {
        kpi_id
        for rules in CHANGED[setting]
        for kpi_id, as_of, value in readings(rules)
        if before[kpi_id, as_of] != value
    }
    said = {kpi.id for kpi in every_kpi(RULES).values() if kpi.figure is None and setting in settings_of(kpi)}
    assert changed - said == set()
    assert said - changed == set()


@cache
def plain() -> dict[tuple[str, int], tuple[int, int]]:
    """Every quotient by the plain rules."""
    return {(kpi_id, as_of): value for kpi_id, as_of, value in readings(RULES)}
