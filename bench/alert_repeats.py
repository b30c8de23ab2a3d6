"""`python -m bench.alert_repeats`: after how many days a fall of first contact resolution is told.

500 contacts a day (`--per-day`); of their customers 13.1 % come back within a day, 19.1 % within three and
28 % within seven, and from a day on 10 points more. The rule is `type: matured` with a target for each age,
some points below the usual; each run has weeks of usual days before the fall, in which a page is a false one.
"""

import argparse
import statistics
from fractions import Fraction
from random import Random

from bench.alert_queue import poisson
from kpis.dips.episodes import transitions
from kpis.dips.ladder import Objective, Series
from kpis.dips.machine import Timing
from kpis.dips.matured import Matured, cohort
from kpis.dips.profiles import PROFILES
from schemas.time_units import DAY_MS, HOUR_MS, MINUTE_MS

USUAL = {1: 0.131, 3: 0.191, 7: 0.28}  # come back within so many days
TARGETS = {1: Fraction("0.85"), 3: Fraction("0.79"), 7: Fraction("0.69")}
WINDOWS = (DAY_MS, 3 * DAY_MS, 7 * DAY_MS)
BEFORE_DAYS, AFTER_DAYS = 8 * 7, 28
FALL = 0.10


def detector() -> Matured:
    """The rule with the default profile."""
    p_value = PROFILES["default"].p_value
    return Matured(
        tuple(
            cohort(days, Objective(target, True, p_value, WINDOWS, 20, 20))
            for days, target in TARGETS.items()
        )
    )


def cohorts(rng: Random, per_day: int, falls_at: int) -> list[Series]:
    """Of each age, hour by hour, how many were not back by then."""
    found = [Series() for _ in USUAL]
    for hour in range((BEFORE_DAYS + AFTER_DAYS) * 24):
        at = hour * HOUR_MS
        more = (USUAL[7] + FALL) / USUAL[7] if at >= falls_at else 1
        draws = [rng.random() for _ in range(sum(poisson(rng, per_day / 240) for _ in range(10)))]
        if draws:
            for series, back in zip(found, USUAL.values(), strict=True):
                series.add(at, sum(draw >= back * more for draw in draws), len(draws))
    return found


def run(rule: Matured, seed: int, per_day: int) -> tuple[int, float | None]:
    """False pages before the fall, and after how many days it was told; None if it was not."""
    falls_at = BEFORE_DAYS * DAY_MS
    parts = cohorts(Random(f"{seed} repeats"), per_day, falls_at)
    span = 8 * DAY_MS, (BEFORE_DAYS + AFTER_DAYS) * DAY_MS
    timing = Timing(PROFILES["default"].for_ms, 15 * MINUTE_MS)
    changes = (change for _, change in transitions(parts, span, HOUR_MS, rule, timing))
    told = [change.at for change in changes if change is not None and change.to == "firing"]
    after = [at for at in told if at > falls_at]
    return len(told) - len(after), (after[0] - falls_at) / DAY_MS if after else None


def main() -> None:
    """All runs in a line."""
    parser = argparse.ArgumentParser(prog="python -m bench.alert_repeats", description=__doc__)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=91)
    parser.add_argument("--per-day", type=int, default=500)
    given = parser.parse_args()
    rule = detector()
    found = [run(rule, given.seed * 1_000 + number, given.per_day) for number in range(given.runs)]
    days = sorted(after for _, after in found if after is not None)
    weeks = given.runs * (BEFORE_DAYS - 8) / 7
    print(
        f"{given.runs} falls of {100 * FALL:.0f} points at {given.per_day} contacts a day: told after "
        f"{statistics.median(days):.1f} days (median), {days[int(0.95 * len(days))]:.1f} (95th percentile), "
        f"{len(found) - len(days)} missed; {sum(false for false, _ in found) / weeks:.3f} false pages a week"
    )


if __name__ == "__main__":
    main()
