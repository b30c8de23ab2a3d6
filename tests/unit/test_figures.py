"""A KPI needs its entry in the catalogue and nothing else; a reader refuses a figure it does not know."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from types import SimpleNamespace
from typing import Any, cast, get_args, get_type_hints

import pytest
from support.notation import BASE_MS
from support.stub_clickhouse import StubClient

from docs.build.kpis import reference
from kpis.catalogue import every_kpi as registry
from kpis.catalogue.figure import Duration, Figure, Longest, LongestWaitNow, Quantile
from kpis.catalogue.kpi import Booked, Kpi, Table
from kpis.rules import DEFAULT_RULES
from reports.explain import figures as explained
from reports.explain.explanation import Asked, Explanation, explain
from reports.kpi.answer import Question, answer
from sinks.views.columns import column_id
from sinks.views.figures import ENTERED_DURATIONS, HANDLED_DURATIONS
from sinks.views.statements import statements
from sql.kpi_queries import DURATIONS

HOUR_MS = 3_600_000
SPAN = (BASE_MS, BASE_MS + HOUR_MS)
AT_ENTRY = ("wait_ms", "queue_ms")  # the other durations are booked when the agent was done
# Waits of 1, 2, 3, 5 and 60 s; the last leaves after 30 s, one waits still.
CONTACTS = (
    "s, q@10, a@11, res@20, w@30",
    "s, q@10, a@12, h@13, r@14, res@20, w@30",
    "s, q@10, a@13, res@20, w@30",
    "s, q@10, a@15, res@20, w@30",
    "s, q@10, a@70, res@80, w@90",
    "s, q@10, ab[queue]@40",
    "s, q@10",
)


def client_of(**row: object) -> Any:
    return StubClient(CONTACTS, SPAN, **row)


def kpi_of(figure: Figure) -> Kpi:
    """A KPI that asks for a figure."""
    booked: Booked = "entered" if getattr(figure, "duration", AT_ENTRY[0]) in AT_ENTRY else "handled"
    if isinstance(figure, LongestWaitNow):
        booked = "as_of"
    return Kpi("new_figure", "New", "ms", "leg", booked, "A figure.", "Tests", figure=figure)


def every_figure() -> Iterator[Figure]:
    """Each type of figure, with every duration that it may be of."""
    for kind in get_args(Figure):
        hints = get_type_hints(kind)
        choices = {name: get_args(Duration) if hint == Duration else (80,) for name, hint in hints.items()}
        for values in product(*choices.values()):
            yield kind(**dict(zip(choices, values, strict=True)))


def register(patch: pytest.MonkeyPatch, kpi: Kpi) -> Kpi:
    """An entry more in kpis/catalogue/queueing.py."""
    patch.setattr(registry, "WAIT", (*registry.WAIT, kpi))
    return kpi


def answered(client: Any, kpi: Kpi) -> dict[str, Any]:
    (row,) = answer(client, Question(*SPAN, kpis=(kpi.id,)), DEFAULT_RULES)
    return cast("dict[str, Any]", row["kpis"][kpi.id])


def explanation(kpi: Kpi) -> Explanation:
    return explain(client_of(), Asked(kpi, *SPAN, BASE_MS + 50_000), DEFAULT_RULES)


def test_a_new_percentile_needs_its_entry_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    p80 = replace(kpi_of(Quantile("wait_ms", 80)), id="wait_p80", name="Wait, 80th percentile")
    register(monkeypatch, p80)
    view = statements(DEFAULT_RULES, "UTC")["kpi_hour_figures"]
    assert "`wait_p80` Nullable(Int64)" in view
    assert "t_x_sorted_wait_ms[intDiv(80 * length(t_x_sorted_wait_ms) + 99, 100)]) AS `wait_p80`" in view
    client = client_of(p80=5_000, n=5)
    assert answered(client, p80) == {
        "value": 5_000, "unit": "ms", "n": 5, "num": 5_000, "den": 1, "final": True,
    }  # fmt: skip
    assert "ordered[intDiv(80 * n + 99, 100)] AS p80" in client.asked[0]
    assert "answered AND isNotNull(queue_ms)" in client.asked[0]
    found = explanation(p80)
    assert (found.value, found.n) == (5_000, 5)
    assert [item.subject for item in found.contributors] == [{"contact_id": "c3"}]
    assert "### wait_p80" in reference()


def test_two_kpis_of_one_percentile_share_a_query(monkeypatch: pytest.MonkeyPatch) -> None:
    twin = register(monkeypatch, kpi_of(Quantile("wait_ms", 90)))
    client = client_of(p90=5_000, n=5)
    (row,) = answer(client, Question(*SPAN, kpis=("wait_p90", twin.id)), DEFAULT_RULES)
    assert row["kpis"]["wait_p90"] == row["kpis"][twin.id]
    assert client.asked[0].count("AS p90") == 1


def test_a_new_quotient_needs_its_entry_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rate = Kpi("answered_rate", "Answered", "ratio", "leg", "entered", "Answered of offered.", "Tests",
               {"answered": 1}, {"offered": 1})  # fmt: skip
    register(monkeypatch, rate)
    made = statements(DEFAULT_RULES, "UTC")
    for view in ("kpi_minute", "kpi_day", "agent_day"):
        assert "(t_m_answered) / nullIf((t_m_offered), 0) AS `answered_rate`" in made[view]
    found = explanation(rate)
    assert (found.num, found.den, found.value) == (5, 7, 5 / 7)
    assert "- Formula: `answered` / `offered`" in reference()
    client = client_of()
    assert answer(client, Question(*SPAN, kpis=(rate.id,)), DEFAULT_RULES) == []
    assert "sum(m_answered) AS answered" in client.asked[0]


@pytest.mark.parametrize("figure", [*every_figure()], ids=str)
def test_every_reader_knows_every_figure(monkeypatch: pytest.MonkeyPatch, figure: Figure) -> None:
    kpi = register(monkeypatch, kpi_of(figure))
    view = statements(DEFAULT_RULES, "UTC")["kpi_now" if kpi.is_state else "kpi_day_figures"]
    assert f" AS `{column_id(kpi)}`" in view
    for total in explained_totals(figure):
        assert f" AS t_{total}" in view, "no source of the view gives this total"
    client = client_of()
    assert answer(client, Question(*SPAN, kpis=(kpi.id,)), DEFAULT_RULES) == []
    assert client.asked
    assert explanation(kpi).value is None or explanation(kpi).contributors
    assert "### new_figure" in reference()


def explained_totals(figure: Figure) -> list[str]:
    """Totals that the view must have for a figure of a duration."""
    match figure:
        case Longest(duration):
            return [f"x_longest_{duration}", f"x_longest_{duration}_n"]
        case Quantile(duration):
            return [f"x_sorted_{duration}"]
    return []


def test_every_duration_is_in_every_table() -> None:
    durations = {*get_args(Duration)}
    assert durations == DURATIONS.keys() == explained.DURATIONS.keys()
    assert durations == ENTERED_DURATIONS.keys() | HANDLED_DURATIONS.keys()
    assert {*ENTERED_DURATIONS} == {*AT_ENTRY}
    assert {name for name, (_, _, at) in DURATIONS.items() if at == "entered_at"} == {*AT_ENTRY}


def test_figures_of_the_catalogue_are_booked_as_their_durations_are() -> None:
    for kpi in registry.every_kpi(DEFAULT_RULES).values():
        if isinstance(kpi.figure, Quantile | Longest):
            assert kpi.booked == ("entered" if kpi.figure.duration in AT_ENTRY else "handled"), kpi.id


@pytest.mark.parametrize(
    ("figure", "value", "n"),
    [
        (Longest("wait_ms"), 60_000, 5),
        (Longest("queue_ms"), 60_000, 6),
        (Quantile("queue_ms", 80), 30_000, 6),
        (Longest("hold_max_ms"), 1_000, 1),
        (Quantile("handle_ms", 1), 15_000, 5),
        (LongestWaitNow(), 40_000, 2),
    ],
    ids=str,
)
def test_the_leg_that_has_a_figure(figure: Figure, value: int, n: int) -> None:
    found = explanation(kpi_of(figure))
    assert (found.value, found.n) == (value, n)


@dataclass(frozen=True, slots=True)
class Mode:
    """A figure that nobody reads."""

    duration: Duration


READERS = (
    "kpis/catalogue/formula.py",
    "sinks/views/figures.py",
    "reports/kpi/figures.py",
    "reports/explain/figures.py",
)


@pytest.mark.parametrize("reader", READERS)
def test_a_figure_that_a_reader_does_not_know_is_refused(
    monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    kpi = register(monkeypatch, kpi_of(cast("Any", Mode("wait_ms"))))
    calls = {
        "kpis/catalogue/formula.py": lambda: reference(),
        "sinks/views/figures.py": lambda: statements(DEFAULT_RULES, "UTC"),
        "reports/kpi/figures.py": lambda: answered(client_of(), kpi),
        "reports/explain/figures.py": lambda: explanation(kpi),
    }
    with pytest.raises(TypeError, match=rf"{reader} does not know the figure Mode\(duration='wait_ms'\)"):
        calls[reader]()


def test_a_state_that_is_no_count_is_refused_if_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    kpi = replace(kpi_of(LongestWaitNow()), id="odd_now")
    object.__setattr__(kpi, "figure", Mode("wait_ms"))
    register(monkeypatch, kpi)
    client = client_of()
    client.query = lambda *_, **__: SimpleNamespace(column_names=["waiting_now"], result_rows=[[1]])
    with pytest.raises(TypeError, match=r"reports/kpi/figures\.py does not know"):
        answered(client, kpi)


def test_a_figure_has_its_table_and_a_quantile_its_percent() -> None:
    assert kpi_of(Quantile("wait_ms", 80)).table == "facts"
    assert kpi_of(LongestWaitNow()).table == "live"
    wrong: tuple[tuple[Figure, Table], ...] = ((Quantile("wait_ms", 80), "fcr"), (LongestWaitNow(), "facts"))
    for figure, table in wrong:
        with pytest.raises(ValueError, match="a figure's table is"):
            replace(kpi_of(figure), table=table)
    with pytest.raises(ValueError, match="facts are for figures"):
        Kpi("x", "X", "count", "leg", "entered", "X.", "Tests", {"offered": 1}, table="facts")
    for percent in (0, 101):
        with pytest.raises(ValueError, match=str(percent)):
            Quantile("wait_ms", percent)
