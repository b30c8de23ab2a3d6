"""What surveys, repeat contacts and legs of the moment add to KPIs: SQL against the Python functions."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from support.clickhouse import connect
from support.worlds import BASE_MS, DATED, random_contact

from kpis.facts import FcrFact, LegFact, SurveyFact
from kpis.fcr.customer_contacts import judge
from kpis.fcr.visit import visit_of
from kpis.fold.events import fold
from kpis.rules import FcrRules, Rules, stale_after_ms, target_ms
from kpis.tallies.fcr import FCR_MEASURES, by_days, fcr_contribution
from kpis.tallies.live import LIVE_MEASURES, is_waiting, live_measures
from kpis.tallies.surveys import SURVEY_MEASURES, survey_measures
from kpis.tallies.windows import minute
from schemas.time_units import DAY_MS
from sinks import rows
from sinks.rule_parameters import rule_parameters
from sql import bookings

pytestmark = pytest.mark.stack

SEED = 20_260_106
# Stale limits within the three days that the contacts are spread over.
RULES = Rules(
    service_level_by_queue_ms={"B": 5_000},
    stale_ms=12 * 3_600_000,
    stale_async_ms=2 * DAY_MS,
    fcr=FcrRules(windows_days=(1, 3, 7)),
    dated=DATED,
)
DIMENSIONS = ("channel", "queue", "agent", "team", "reason")
SURVEYS = "(SELECT * FROM surveys FINAL WHERE is_deleted = 0)"
FCR = "(SELECT * FROM fcr FINAL WHERE is_deleted = 0)"
LEGS = "(SELECT * FROM legs FINAL WHERE is_deleted = 0)"
SCALES = ((1, 5), (1, 7), (1, 10), (0, 10), (0, 1), (1, 3), (0, 100), (-5, 5), (10, 50))
PARAMETERS = rule_parameters(RULES)


@dataclass
class World:
    """Facts in ClickHouse, and the same in Python."""

    client: Client
    surveys: list[SurveyFact]
    fcr: list[FcrFact]
    legs: list[LegFact]

    def rows(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return [*map(tuple, self.client.query(sql, parameters=PARAMETERS | parameters).result_rows)]


def random_survey(rng: random.Random, number: int) -> SurveyFact:
    """An answer of any kind on any scale, each score as likely as any other."""
    low, high = rng.choice(SCALES)
    responded_at = BASE_MS + rng.randrange(3 * DAY_MS)
    return SurveyFact(
        contact_id=f"s{number}",
        kind=rng.choice(("csat", "csat", "nps", "ces", "aes", "fcr")),
        respondent=rng.choice(("customer", "customer", "agent")),
        leg=1,
        **{name: rng.choice(("", "a", "b")) for name in DIMENSIONS},
        dimensions={"brand": "acme"},
        responded_at=responded_at,
        booked_at=responded_at - rng.choice((0, 1, 60_000, DAY_MS)),
        score=rng.randint(low, high),
        scale_min=low,
        scale_max=high,
        higher_is_better=rng.choice((1, 1, 0)),
        late=int(rng.random() < 0.1),
        orphan=0,
    )


def random_candidate(rng: random.Random, number: int) -> FcrFact:
    """A contact whose neighbours are a window away, a millisecond more or less."""

    def near(time_ms: int, sign: int) -> int | None:
        away = rng.choice((0, 1, 3, 7)) * DAY_MS + rng.choice((-1, 0, 1))
        return rng.choice((None, time_ms + sign * away, time_ms + sign * away))

    begins_at = BASE_MS + rng.randrange(3 * DAY_MS)
    ended_at = rng.choice((None, begins_at, begins_at + rng.randrange(120_000), begins_at + DAY_MS))
    anchor = int(ended_at is not None)
    return FcrFact(
        customer_key=f"x{number % 50}",
        contact_id=f"x{number}",
        **{name: rng.choice(("", "a", "b")) for name in DIMENSIONS},
        started_at=begins_at - rng.choice((0, 5_000)),
        begins_at=begins_at,
        ended_at=ended_at,
        anchor=anchor,
        failed=int(anchor and rng.random() < 0.3),
        level1_resolvable=rng.choice((0, 1, 1)),
        transferred=rng.choice((0, 0, 1)),
        next_at=None if ended_at is None else near(ended_at, 1),
        previous_end_at=near(begins_at, -1),
    )


def insert(client: Client, table: str, facts: Iterable[Any], fact: type[Any], **gone: Any) -> None:
    """Facts as rows, and a row of one that is no more."""
    columns = (*(field.name for field in fields(fact)), "version", "is_deleted")
    found = [rows.fact_row(columns, asdict(item), 1) for item in facts]
    client.insert(table, [*found, rows.deleted_row(columns, gone, 2)], column_names=columns)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    rng = random.Random(SEED)
    folded = [fold(random_contact(rng, f"k{number}"), RULES) for number in range(2_000)]
    visits = [visit for facts in folded if facts.contact and (visit := visit_of(facts.contact))]
    judged = [
        fact
        for key in sorted({visit.customer_key for visit in visits})
        for fact in judge([visit for visit in visits if visit.customer_key == key], RULES.fcr)
    ]
    surveys = [random_survey(rng, number) for number in range(4_000)]
    surveys += [survey for facts in folded for survey in facts.surveys]
    candidates = [*judged, *(random_candidate(rng, number) for number in range(3_000))]
    legs = [leg for facts in folded for leg in facts.legs]
    client = connect(tmp_path_factory.mktemp("bookings") / "db")
    insert(client, "surveys", surveys, SurveyFact, contact_id="gone", kind="csat", respondent="customer")
    insert(client, "fcr", candidates, FcrFact, customer_key="gone", contact_id="gone")
    insert(client, "legs", legs, LegFact, contact_id="gone", leg=1)
    yield World(client, surveys, candidates, legs)
    client.close()


def dimensions_of(fact: Any) -> tuple[str, ...]:
    return tuple(getattr(fact, name) for name in DIMENSIONS)


def listed(measures: Iterable[str]) -> str:
    return ", ".join([*DIMENSIONS, *(f"m_{name}" for name in measures)])


@pytest.mark.parametrize("at", ["booked_at", "responded_at"])
def test_surveys(world: World, at: Any) -> None:
    expected = Counter(
        (minute(getattr(fact, at)), *dimensions_of(fact),
         *(survey_measures(fact).get(name, 0) for name in SURVEY_MEASURES))
        for fact in world.surveys
    )  # fmt: skip
    relation = bookings.survey_bookings(SURVEYS, at)
    found = world.rows(f"SELECT minute_ms, {listed(SURVEY_MEASURES)} FROM {relation}")
    assert Counter(found) == expected
    sums = world.rows(f"SELECT {', '.join(f'sum(m_{name})' for name in SURVEY_MEASURES)} FROM {relation}")[0]
    totals = dict(zip(SURVEY_MEASURES, sums, strict=True))
    told = {
        name: total for name, total in totals.items() if name == "csat_milli" or not name.endswith("_milli")
    }
    assert all(total > 0 for total in told.values()), told


def test_fcr(world: World) -> None:
    width = len(FCR_MEASURES)
    expected: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * width)
    for fact in world.fcr:
        for window, tally in fcr_contribution(fact, RULES.fcr).items():
            for days, amounts in by_days(tally, RULES.fcr):
                total = expected[window.start, days, *dimensions_of(fact)]
                total[:] = [a + b for a, b in zip(total, amounts, strict=True)]
    relation = bookings.fcr_bookings(FCR, RULES.fcr.windows_days)
    by = f"minute_ms, days, {', '.join(DIMENSIONS)}"
    sums = ", ".join(f"sum(m_{name})" for name in FCR_MEASURES)
    found = world.rows(f"SELECT {by}, {sums} FROM {relation} GROUP BY {by}")
    assert {row[:-width]: [*row[-width:]] for row in found} == expected
    assert all(map(sum, zip(*expected.values(), strict=True)))


def moments(world: World) -> list[int]:
    """Moments at, and a millisecond beside, those at which something changes."""
    rng = random.Random(SEED)
    found = []
    for leg in rng.sample(world.legs, 15):
        target = target_ms(RULES, leg.channel, leg.queue, leg.entered_at)
        limits = (0, stale_after_ms(RULES, leg.channel), target)
        times = [leg.answered_at, leg.ended_at, leg.handled_at, *(leg.entered_at + limit for limit in limits)]
        times += [leg.ended_at + RULES.acw_stale_ms] if leg.ended_at is not None else []
        found += [time + step for time in times if time is not None for step in (-1, 0, 1)]
    return found


def test_live(world: World) -> None:
    totals = [0] * len(LIVE_MEASURES)
    relation = bookings.live(LEGS)
    for as_of in moments(world):
        expected = Counter(
            (leg.entered_at, *dimensions_of(leg), *live_measures(leg, as_of, RULES).values(),
             as_of - leg.entered_at if is_waiting(leg, as_of, RULES) else None)
            for leg in world.legs if leg.entered_at <= as_of
        )  # fmt: skip
        found = world.rows(
            f"SELECT entered_ms, {listed(LIVE_MEASURES)}, age_ms FROM {relation}", as_of_ms=as_of
        )
        assert Counter(found) == expected, as_of
        totals = [a + sum(row[6 + i] for row in found) for i, a in enumerate(totals)]
    assert all(totals), totals
