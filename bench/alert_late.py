"""`python -m bench.alert_late`: how often a decision would have been another had no event come late.

The queues of bench.alert_quality with their dips; some events come 1 to 30 minutes late, by chance.
Each minute is judged by what was known a minute after its end, and by all of it: is the queue in breach?
"""

import argparse
from collections.abc import Iterator
from fractions import Fraction
from random import Random

from alerts.known import AsKnown, Feed
from alerts.when import FRESH_MIN, LADDER_MS
from bench.alert_queue import SERVICE_LEVEL, WEEK_MINUTES, M, streams
from kpis.catalogue.every_kpi import every_kpi
from kpis.dips.detector import Detector, off_objective
from kpis.dips.ladder import Objective, Series
from kpis.dips.profiles import DIP_SLACK, PROFILES
from kpis.rules import DEFAULT_RULES
from reports.published import Publication

LATEST_MINUTES = 30


def published(rng: Random, series: Series, late: float) -> list[Publication]:
    """Each minute as it is known at its end, and again whenever an event of it has come."""
    found = []
    for place, minute in enumerate(series.minutes):
        n = series.counted[place + 1] - series.counted[place]
        good = series.successes[place + 1] - series.successes[place]
        delays = [rng.randint(1, LATEST_MINUTES) if rng.random() < late else 0 for _ in range(n)]
        rng.shuffle(goods := [1] * good + [0] * (n - good))
        for version, delay in enumerate(sorted({0, *delays})):
            known = [one for one, own in zip(goods, delays, strict=True) if own <= delay]
            sums = {"answered_in_target": sum(known), "service_level_n": len(known)}
            found.append(Publication(minute + (1 + delay) * M, version, minute, "voice", "q", 0, sums))
    return sorted(found, key=lambda each: (each.known_at, each.minute))


def breaches(detector: Detector, series: Series, weeks: int) -> Iterator[bool]:
    """Minute by minute: is it in breach?"""
    for at in range(M, weeks * WEEK_MINUTES * M + 1, M):
        idle = detector.quiet([series], at, 0) or detector.is_fine([series], at, 0)
        yield not idle and detector.look([series], at, 0).breach


def main() -> None:
    """A line for each size of queue."""
    parser = argparse.ArgumentParser(prog="python -m bench.alert_late", description=__doc__)
    parser.add_argument("--weeks", type=int, default=10)
    parser.add_argument("--seed", type=int, default=91)
    parser.add_argument("--late", type=float, default=0.05)
    given = parser.parse_args()
    kpi, target = every_kpi(DEFAULT_RULES)["service_level"], Fraction(str(SERVICE_LEVEL.target))
    windows = LADDER_MS, 5, FRESH_MIN
    detector = off_objective(Objective(target, True, PROFILES["default"].p_dip, *windows, DIP_SLACK))
    for per_hour in (5, 20, 60, 150, 500):
        _, series, _ = streams(given.seed, SERVICE_LEVEL, per_hour, given.weeks, 0.25)
        feed = Feed(kpi, published(Random(given.seed), series, given.late))
        live = breaches(AsKnown(detector, (feed,), M), feed.series, given.weeks)
        final = breaches(detector, series, given.weeks)
        odd = sum(one != other for one, other in zip(live, final, strict=True))
        share = 100 * odd / (given.weeks * WEEK_MINUTES)
        print(f"{per_hour} an hour, {100 * given.late:g} % late: {share:.3f} % of minutes decided otherwise")


if __name__ == "__main__":
    main()
