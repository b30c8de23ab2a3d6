"""What the demo corrects, and the clock on its wall."""

import pytest
from rich.console import Console

from cli import demo_wallboard
from cli.demo import COLUMNS, board
from cli.demo_correction import Correction, corrected
from cli.demo_wallboard import UNDER_WAY_S, Clock, config
from kpis.rules import DEFAULT_RULES
from schemas.events import ContactAnswered, ContactQueued
from simulator.default import DEFAULT_SHAPE

T = 1_767_571_200_000


def queued(contact: str, at: int, queue: str = "sales") -> ContactQueued:
    return ContactQueued.model_validate(
        {
            "contact_id": contact,
            "event_id": "q",
            "leg": 1,
            "occurred_at": T + at,
            "source": "s",
            "queue": queue,
        }
    )


def answered(contact: str, at: int, revision: int = 0) -> ContactAnswered:
    return ContactAnswered.model_validate(
        {"contact_id": contact, "event_id": "a", "leg": 1, "occurred_at": T + at, "source": "s",
         "revision": revision, "agent": "ann"}
    )  # fmt: skip


def test_the_call_that_waited_longest_is_corrected_by_one_revision_more() -> None:
    correction = Correction(DEFAULT_RULES)
    told = [
        queued("short", 0), answered("short", 20_000), queued("long", 0), answered("long", 90_000),
        queued("longer", 0), answered("longer", 95_000),
        queued("other", 0, "billing"), answered("other", 99_000),
    ]  # fmt: skip
    for event in told:
        correction.watch(event)
    found = correction.chosen()
    assert found is not None
    assert (found[0].contact_id, found[1]) == ("longer", T)
    right = corrected(*found)
    assert (right.revision, right.occurred_at, right.event_id) == (1, T + 9_000, "a")


def test_what_was_corrected_on_the_way_is_known_by_its_revision() -> None:
    correction = Correction(DEFAULT_RULES)
    for event in (queued("a", 0), answered("a", 60_000, 1), answered("a", 90_000, 0)):
        correction.watch(event)
    found = correction.chosen()
    assert found is not None
    assert (found[0].occurred_at, corrected(*found).revision) == (T + 60_000, 2)
    assert Correction(DEFAULT_RULES).chosen() is None


def test_a_correction_that_leaves_no_long_wait_is_no_candidate() -> None:
    correction = Correction(DEFAULT_RULES)
    for event in (queued("a", 0), answered("a", 60_000), answered("a", 5_000, 1)):
        correction.watch(event)
    assert correction.chosen() is None


def test_the_clock_stands_until_events_flow_and_stops_at_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(demo_wallboard.time, "monotonic", lambda: now[0])
    clock = Clock(1_000_000, 1_000_000 + 400_000, 40)
    assert clock() == 1_000_000
    clock.start()
    assert clock() == 1_000_000
    now[0] += UNDER_WAY_S + 10
    assert clock() == 1_100_000
    now[0] += 1_000
    assert clock() == 1_400_000


def test_every_queue_of_the_simulation_hangs_there() -> None:
    assert {queue.queue for queue in config().queues} == {queue.name for queue in DEFAULT_SHAPE.queues}


def test_the_board_fits_into_80_columns() -> None:
    """An hour's and a quarter's durations beside each other, as messaging has them."""
    kpis = {name: {"value": 146, "unit": "count", "n": 1, "den": 0} for name in COLUMNS}
    kpis |= {name: {"value": 752_000, "unit": "ms", "n": 1, "den": 1} for name in ("asa", "aht")}
    kpis |= {
        name: {"value": 1, "unit": "ratio", "n": 1, "den": 1}
        for name in ("service_level", "abandonment_rate")
    }
    told = Console(width=80, record=True)
    told.print(board([{"queue": "messaging", "kpis": kpis}], "13:00", 15_383))
    assert "\u2026" not in told.export_text()
