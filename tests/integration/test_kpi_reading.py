"""Every KPI as `ringback kpi` answers it, against values computed in Python straight from facts."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from support.clickhouse import connect
from support.kpi_values import Expected
from support.kpi_world import (
    AS_OF,
    BASE_MS,
    DAY_MS,
    DIMENSIONS,
    KPIS,
    LATER,
    RANGE,
    RULES,
    SEED,
    Row,
    Stored,
    make_world,
    store,
)
from support.worlds import AGENTS

from kpis.catalogue import every_kpi as registry
from kpis.catalogue.figure import Longest, PeakHour, Quantile
from kpis.catalogue.kpi import Booked, Kpi
from reports.explain.explanation import Asked, Explanation, document, explain
from reports.kpi.answer import CannotAnswer, Question, answer
from reports.kpi.sums import nothing
from sinks.views.statements import apply_views
from sql.kpi_queries import quantiles
from sql.periods import periods

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    client = connect(tmp_path_factory.mktemp("reading") / "db")
    yield store(client, make_world(random.Random(SEED)))
    client.close()


def asked(found: Stored, question: Question) -> dict[str, dict[tuple[Any, ...], Row]]:
    """KPI -> key -> value, where anything was counted."""
    by_kpi: dict[str, dict[tuple[Any, ...], Row]] = defaultdict(dict)
    for row in answer(found.client, question, found.world.rules):
        times = (
            round(datetime.fromisoformat(row[name]).timestamp() * 1000)
            for name in ("window_start", "window_end")
        )
        key = (*times, *(row[name] for name in question.by))
        for name, value in row["kpis"].items():
            by_kpi[name][key] = value
    return by_kpi


def something(values: dict[tuple[Any, ...], Row]) -> dict[tuple[Any, ...], Row]:
    return {key: value for key, value in values.items() if value["n"] or value["num"]}


BRANDS = ("acme", "other", "")
SOON = BASE_MS + 4 * DAY_MS
QUESTIONS = [
    ("all", (), "UTC", AS_OF),
    ("all", ("agent",), "UTC", LATER),
    ("all", DIMENSIONS, "UTC", AS_OF),
    ("1d", (), "Asia/Kathmandu", LATER),
    ("1d", ("queue", "channel"), "Europe/Rome", AS_OF),
    ("1d", ("reason",), "Australia/Lord_Howe", AS_OF),
    ("1h", ("team",), "Asia/Kathmandu", AS_OF),
    ("15m", ("agent",), "UTC", LATER),
    ("1h", ("agent",), "UTC", SOON),  # agents are in a state then, and some talk
    ("30m", ("queue",), "Asia/Kathmandu", AS_OF),
    ("1w", ("queue",), "UTC", LATER),
    ("1m", ("channel",), "UTC", AS_OF),
    ("all", ("brand",), "UTC", AS_OF),
    ("1d", ("queue", "brand"), "Europe/Rome", LATER),
]


@pytest.mark.parametrize(("every", "by", "zone", "as_of"), QUESTIONS, ids=str)
def test_every_kpi_is_what_the_facts_say(
    stored: Stored, every: str, by: tuple[str, ...], zone: str, as_of: int
) -> None:
    question = Question(*RANGE, every, by, zone=zone, as_of_ms=as_of, variants=True)
    found, expected = asked(stored, question), Expected(question, stored)
    left_out = {kpi.id for kpi in KPIS.values() if kpi.id not in found}
    agents_fit = set(by) <= {"agent", "team"} and every != "1m"
    states_fit = set(by) <= {"agent", "team", "reason"} and every != "1m"
    assert left_out == {
        kpi.id for kpi in KPIS.values()
        if (kpi.is_state and every != "all") or (kpi.table == "agents" and not agents_fit)
        or (kpi.table == "states" and not states_fit)
        or (isinstance(kpi.figure, PeakHour) and every in ("1m", "15m", "30m"))
    }  # fmt: skip
    for name, values in found.items():
        assert something(values) == something(expected.values(KPIS[name])), name


def test_every_kpi_was_put_to_the_test(stored: Stored) -> None:
    seen = set()
    for as_of in (AS_OF, LATER):
        found = asked(stored, Question(*RANGE, as_of_ms=as_of, variants=True))
        seen |= {name for name, values in found.items() if something(values)}
    assert seen == KPIS.keys()
    # Only windows are read channel by channel.
    assert all(kpi.applies == "all" for kpi in KPIS.values() if kpi.table != "windows")


def test_odd_ranges_cut_the_quarters(stored: Stored) -> None:
    """A range that begins and ends within a quarter: peak hours are of the quarters wholly within it."""
    for begin in range(BASE_MS, BASE_MS + DAY_MS, 7_380_000):
        question = Question(begin, begin + 4_680_000, kpis=("peak_hour", "volume", "occupancy"))
        found, expected = asked(stored, question), Expected(question, stored)
        for name in question.kpis:
            assert something(found[name]) == something(expected.values(KPIS[name])), (begin, name)


DAY = (BASE_MS + DAY_MS, BASE_MS + 2 * DAY_MS)


@pytest.mark.parametrize(
    ("span", "by"),
    [(RANGE, ()), (DAY, ()), (DAY, ("agent", "team")), (DAY, ("queue", "reason")), (DAY, ("queue", "brand"))],
    ids=str,
)
def test_recomputed_from_events_is_the_same(
    stored: Stored, span: tuple[int, int], by: tuple[str, ...]
) -> None:
    kpis = tuple(
        kpi.id
        for kpi in KPIS.values()
        if (span == RANGE or not kpi.is_state) and not (kpi.table in ("agents", "states") and "queue" in by)
    )
    question = Question(*span, "all", by, kpis, as_of_ms=LATER)
    again = replace(question, from_oracle=True)
    assert answer(stored.client, again, RULES) == answer(stored.client, question, RULES)


@pytest.mark.parametrize(
    ("every", "by", "name", "said"),
    [
        ("all", (), "service_levle", "did you mean service_level"),
        (
            "all",
            ("colour",),
            "asa",
            "no dimension 'colour' here; there are: channel, queue, agent",
        ),
        ("all", ("Brand",), "asa", "no dimension 'Brand' here"),
        ("all", ("brand",), "occupancy", "by agent and team only"),
        ("all", ("queue",), "occupancy", "by agent and team only, not by queue"),
        ("1m", (), "occupancy", "15m"),
        ("1d", (), "waiting_now", "--every all"),
    ],
)
def test_what_makes_no_sense_is_refused(
    every: str, by: tuple[str, ...], name: str, said: str, stored: Stored
) -> None:
    with pytest.raises(CannotAnswer, match=said):
        answer(stored.client, Question(*RANGE, every, by, (name,)), RULES)


def test_quantiles_of_any_number_of_values_and_ties(stored: Stored) -> None:
    """Lower quantile: index ceil(p * n) - 1 of the sorted values, for every percent of every small n."""
    rng = random.Random(SEED)
    numbers = (*range(1, 40), 100, 200, 999)
    values = [[rng.choice((0, 1, 5, 5, rng.randrange(100))) for _ in range(n)] for n in numbers]
    names = ("contact_id", "queue", "entered_at", "answered", "offered", "queue_ms")
    lines = [
        (f"{n}-{i}", str(len(some)), BASE_MS, 1, 1, value)
        for n, some in enumerate(values)
        for i, value in enumerate(some)
    ]
    stored.client.command("CREATE TABLE waits AS legs ENGINE = Memory")
    stored.client.insert("waits", lines, column_names=names)
    when = periods(BASE_MS, BASE_MS + 60_000, "all", UTC)
    percents = range(1, 101)
    query = quantiles("wait_ms", percents, when, ("queue",), "waits")
    found = stored.client.query(query, parameters=when.parameters)
    stored.client.command("DROP TABLE waits")
    by_queue = {row[2]: row[3:] for row in found.result_rows}
    for some in values:
        expected = [sorted(some)[-(-percent * len(some) // 100) - 1] for percent in percents]
        assert by_queue[str(len(some))] == (len(some), *expected)


NEW = (
    Quantile("wait_ms", 80), Quantile("queue_ms", 33), Quantile("hold_max_ms", 67), Longest("wait_ms"),
    Longest("handle_ms"),
)  # fmt: skip


@pytest.mark.parametrize("figure", NEW, ids=str)
def test_a_new_figure_is_read_everywhere(
    stored: Stored, monkeypatch: pytest.MonkeyPatch, figure: Quantile | Longest
) -> None:
    """One entry in the catalogue: `ringback kpi`, `ringback explain` and the views have it."""
    booked: Booked = "entered" if figure.duration in ("wait_ms", "queue_ms") else "handled"
    kpi = Kpi("new", "New", "ms", "leg", booked, "New.", "Tests", figure=figure, table="facts")
    monkeypatch.setattr(registry, "WAIT", (*registry.WAIT, kpi))
    question = Question(*RANGE, "1d", ("channel", "queue"), ("new",), as_of_ms=AS_OF)
    values = asked(stored, question)["new"]
    assert len(values) > 3
    assert something(values) == something(Expected(question, stored).values(kpi))
    found, row = explained(stored, kpi, RANGE)
    assert (found.value, found.n) == (row["value"], row["n"])
    apply_views(stored.client, RULES, "UTC")
    view = stored.client.query(
        "SELECT window_start, channel, queue, new, new_n FROM kpi_day_figures WHERE new_n > 0"
    )
    by_day = {(start.replace(tzinfo=UTC), *key): (value, n) for start, *key, value, n in view.result_rows}
    assert by_day == {
        (datetime.fromtimestamp(key[0] // 1000, UTC), *key[2:]): (value["value"], value["n"])
        for key, value in values.items()
    }


def explained(stored: Stored, kpi: Kpi, span: tuple[int, int], **where: str) -> tuple[Explanation, Row]:
    """An explanation, and the KPI as `answer` has it."""
    further = tuple((name, value) for name, value in where.items() if name in ("brand", "agent"))
    plain = {name: value for name, value in where.items() if name in ("channel", "queue")}
    found = explain(stored.client, Asked(kpi, *span, AS_OF, **plain, where=further), RULES)
    by = () if kpi.table == "agents" else tuple(where)
    ids = (kpi.id, "volume") if further else (kpi.id,)  # a name that no row has is refused
    for row in answer(stored.client, Question(*span, "all", by, ids, as_of_ms=AS_OF), RULES):
        if all(row[name] == value for name, value in where.items()):
            return found, row["kpis"][kpi.id]
    return found, nothing(kpi)


@pytest.mark.parametrize("table", ["windows", "fcr", "surveys", "agents", "facts", "live"])
def test_the_contacts_explained_add_up_to_the_kpi(stored: Stored, table: str) -> None:
    rng, told = random.Random(SEED), 0
    wanted = [kpi for kpi in KPIS.values() if kpi.table == table and kpi.days in (0, 1, 7)]
    for number, kpi in enumerate(wanted):
        length = rng.choice((60, 1440)) * 60_000
        begin = BASE_MS + rng.randrange(3 * DAY_MS // length) * length
        where = {"channel": rng.choice(("voice", "chat")), "queue": rng.choice(("A", "B", ""))}
        further = {"brand": rng.choice(BRANDS)} | ({"agent": rng.choice(AGENTS)} if number % 8 > 5 else {})
        where = where if number % 4 < 2 else further
        asked_ = [((begin, begin + length), {}), ((BASE_MS, BASE_MS + 2 * DAY_MS), where)]
        one = 0 if table == "agents" else number % 2
        for span, narrowed in asked_ if table in ("facts", "live") else asked_[one : one + 1]:
            found, row = explained(stored, kpi, span, **narrowed)
            told += bool(found.contributors)
            assert (found.value, found.n, found.num) == (row["value"], row["n"], row["num"]), (kpi.id, span)
            assert found.den == row["den"], (kpi.id, span)
            if not isinstance(kpi.figure, PeakHour):
                assert sum(one.num for one in found.contributors) == row["num"]
            assert document(found)["contacts"] == [] or all(one.events for one in found.contributors)
    assert told > 3


def test_explanations_name_the_contacts_that_matter(stored: Stored) -> None:
    """Anchors that failed by a repeat show the repeating contact; callbacks the contact that called back."""
    span = (BASE_MS - DAY_MS, BASE_MS + 4 * DAY_MS)
    for name, role in (("returned_rate.w1d", "repeated"), ("callback_wait", "called back")):
        found, _ = explained(stored, KPIS[name], span)
        wanted = [one for one in found.contributors if one.num]
        assert wanted
        for one in wanted:
            assert any(role in what and events for _, what, events in one.related), (name, one.subject)
