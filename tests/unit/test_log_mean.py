"""`type: log_mean`: means of skewed durations."""

import math
import random
from fractions import Fraction
from statistics import NormalDist, mean, variance

import pytest

from kpis.dips.episodes import transitions
from kpis.dips.ladder import Series
from kpis.dips.log_mean import LEAST_MS, Logs, OffMean, units, z_squared
from kpis.dips.machine import Timing

M, H = 60_000, 3_600_000
WINDOWS = tuple(minutes * M for minutes in (15, 30, 60, 120, 240))
RISE = OffMean(units(Fraction(345_000)), False, z_squared(Fraction(1, 1000)), WINDOWS, 10, 10)
MEAN_300_S = math.log(300_000) - 0.8**2 / 2  # of the logarithms, at a standard deviation of 0.8


def logarithm(duration_ms: float) -> int:
    """As reports.minutes.log_source has it."""
    return math.floor(1024 * math.log2(max(duration_ms, LEAST_MS)))


def summed(durations: list[float]) -> Logs:
    found = [logarithm(each) for each in durations]
    return Logs(sum(found), sum(each**2 for each in found), len(found))


def calls(rng: random.Random, minutes: int, factor: float = 1, long_ones: int = 0) -> list[Series]:
    """One or two calls a minute of 300 s in the mean; some of a day."""
    total, squares = Series(), Series()
    for minute in range(minutes):
        durations = [rng.lognormvariate(MEAN_300_S, 0.8) * factor for _ in range(rng.choice((1, 2)))]
        durations += [24 * H] * (minute in range(100, 100 + long_ones))
        found = summed(durations)
        total.add(minute * M, found.total, found.n)
        squares.add(minute * M, found.squares, found.n)
    return [total, squares]


def fires(detector: OffMean, parts: list[Series], minutes: int) -> list[str]:
    steps = transitions(parts, (0, minutes * M), M, detector, Timing(2 * M, 15 * M))
    return [change.to for _, change in steps if change and change.to != "pending" and change.to != "dropped"]


def test_the_bound_is_that_of_cox() -> None:
    rng = random.Random(1)
    durations = [rng.lognormvariate(MEAN_300_S, 0.8) for _ in range(50)]
    found, logs = summed(durations), [math.log(each) for each in durations]
    off = mean(logs) + variance(logs) / 2 - math.log(345_000)
    error = math.sqrt(variance(logs) / 50 + variance(logs) ** 2 / 98)
    unit = math.log(2) / 1024
    assert float(found.above(units(Fraction(345_000)))) * unit == pytest.approx(off, abs=1e-3)
    assert math.sqrt(found.error_squared()) * unit == pytest.approx(error, rel=1e-3)
    assert found.mean_ms() == pytest.approx(math.exp(mean(logs) + variance(logs) / 2), rel=1e-3)


def test_the_bound_is_as_wide_as_the_probability_says() -> None:
    assert float(z_squared(Fraction(1, 1000))) == pytest.approx(NormalDist().inv_cdf(0.999) ** 2, rel=1e-4)


def test_a_rise_is_found_and_one_endless_call_is_none() -> None:
    rng = random.Random(7)
    assert fires(RISE, calls(rng, 600), 600) == []
    assert fires(RISE, calls(rng, 600, long_ones=2), 600) == []
    assert fires(RISE, calls(rng, 240, factor=1.8), 240) == ["firing"]


def test_a_fall_is_found_by_the_other_side() -> None:
    fall = OffMean(units(Fraction(240_000)), True, z_squared(Fraction(1, 1000)), WINDOWS, 10, 10)
    rng = random.Random(8)
    assert fires(fall, calls(rng, 600), 600) == []
    assert fires(fall, calls(rng, 240, factor=0.5), 240) == ["firing"]


def test_equal_durations_are_off_when_they_are_above() -> None:
    assert RISE._is_significant(summed([400_000.0] * 12))
    assert not RISE._is_significant(summed([344_000.0] * 12))
