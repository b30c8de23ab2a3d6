"""The simulator against queueing theory: waits in a steady state are as long as Erlang's formulas say."""

from collections import Counter
from dataclasses import replace

import pytest
from support.erlang import one_queue

from simulator.shape import Thresholds
from simulator.simulation import START_MS, Simulation

pytestmark = pytest.mark.slow

HOUR = 3_600_000


def steady(shape, contacts, warm_up_hours=5, seed=0):
    """Totals of a steady queue after it has warmed up, and the length of that time in ms."""
    simulation = Simulation(seed, shape, contacts=contacts, silent=True)
    begin = START_MS + warm_up_hours * HOUR
    totals = Counter()
    for window, amounts in simulation.run().windows().items():
        if window.start >= begin:
            totals.update(amounts)
    return totals, simulation.now_ms - begin


# Queueing theory, exact. Tolerances are three standard deviations of runs of this length (a long run comes
# much closer).
ERLANG = [
    pytest.param(
        one_queue(per_hour=100, talk_s=180, agents=7),
        {"P(wait)": 0.3241, "P(abandon)": 0.0, "wait_s": 29.173, "occupancy": 0.7143},
        {"P(wait)": 0.016, "P(abandon)": 0.0, "wait_s": 2.8, "occupancy": 0.006},
        id="C-100-7",
    ),
    pytest.param(
        one_queue(per_hour=200, talk_s=180, agents=11),
        {"P(wait)": 0.6821, "P(abandon)": 0.0, "wait_s": 122.78, "occupancy": 0.9091},
        {"P(wait)": 0.065, "P(abandon)": 0.0, "wait_s": 43.0, "occupancy": 0.015},
        id="C-200-11",
    ),
    pytest.param(
        one_queue(per_hour=360, talk_s=240, agents=28),
        {"P(wait)": 0.3331, "P(abandon)": 0.0, "wait_s": 19.988, "occupancy": 0.8571},
        {"P(wait)": 0.066, "P(abandon)": 0.0, "wait_s": 9.0, "occupancy": 0.020},
        id="C-360-28",
    ),
    pytest.param(
        one_queue(per_hour=1000, talk_s=240, agents=70),
        {"P(wait)": 0.5892, "P(abandon)": 0.0, "wait_s": 42.42, "occupancy": 0.9524},
        {"P(wait)": 0.17, "P(abandon)": 0.0, "wait_s": 40.0, "occupancy": 0.03},
        id="C-1000-70",
    ),
    pytest.param(
        one_queue(per_hour=200, talk_s=180, agents=8, patience_s=180),
        {"P(wait)": 0.7798, "P(abandon)": 0.2460, "wait_s": 44.286, "occupancy": 0.9425},
        {"P(wait)": 0.016, "P(abandon)": 0.013, "wait_s": 2.4, "occupancy": 0.006},
        id="A-200-8",
    ),
]


@pytest.mark.parametrize(("queue", "exact", "tolerance"), ERLANG)
def test_steady_state_is_that_of_queueing_theory(queue, exact, tolerance):
    totals, length_ms = steady(replace(queue, thresholds=Thresholds(target_ms=0)), 60_000)
    offered = totals["offered"]
    found = {
        "P(wait)": 1 - totals["answered_in_target"] / offered,
        "P(abandon)": totals["abandoned"] / offered,
        "wait_s": totals["queue_ms"] / offered / 1000,
        "occupancy": totals["handle_ms"] / queue.queues[0].agents / length_ms,
    }
    assert found.keys() == exact.keys() == tolerance.keys()
    for name, value in found.items():
        assert value == pytest.approx(exact[name], abs=tolerance[name]), name


def test_service_level_in_steady_state_is_that_of_queueing_theory():
    totals, _ = steady(one_queue(per_hour=100, talk_s=180, agents=7), 60_000)
    assert totals["answered_in_target"] / totals["offered"] == pytest.approx(0.7404, abs=0.018)


def test_one_agent_more_would_be_noticed():
    totals, _ = steady(one_queue(per_hour=100, talk_s=180, agents=8), 20_000)
    assert totals["queue_ms"] / totals["offered"] / 1000 < 29.173 - 2.8
