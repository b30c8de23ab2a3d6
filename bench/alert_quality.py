"""`python -m bench.alert_quality`: how well alerts find dips, and how often they cry wolf.

All KPIs, sizes of queues and seeds, or fewer: `--kpi service_level --per-hour 60 150 --seed 51`. It
prints a line of JSON for each; `--table FILE...` makes the table of docs/guide/alerts.md of such lines.
"""

import argparse
import itertools
import json
import statistics
import time
from bisect import bisect_right
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

from alerts.when import FRESH_MIN, LADDER_MS
from bench.alert_queue import SHAPES, WEEK_MINUTES, Dip, M, Shape, streams
from kpis.dips.detector import Detector, off_objective
from kpis.dips.episodes import transitions
from kpis.dips.ladder import Objective, Series
from kpis.dips.machine import Standing, Timing
from kpis.dips.profiles import DIP_SLACK, PROFILES
from kpis.dips.threshold import BeyondLimit

AFTER_MINUTES, GRACE_MINUTES = 300, 15
SIZES, SEEDS = (5, 20, 60, 150, 500), (103, 104)


def detectors(shape: Shape) -> dict[str, tuple[Detector, Timing]]:
    """The profiles, and beside them what everybody writes first: 15 minutes below the target, for five."""
    target = Fraction(str(shape.target))
    found: dict[str, tuple[Detector, Timing]] = {}
    for name, profile in PROFILES.items():
        p_value, slack = (profile.p_rise, Fraction(0)) if shape.is_rise else (profile.p_dip, DIP_SLACK)
        objective = Objective(target, True, p_value, LADDER_MS, 5, FRESH_MIN, slack)
        found[name] = off_objective(objective), Timing(profile.for_ms, 15 * M)
    return found | {"static": (BeyondLimit(target, target, True, 15 * M, 1), Timing(5 * M, 15 * M))}


def noteworthy(detector: Detector, series: Series, weeks: int) -> list[int]:
    """Minutes in which something may begin. In others nothing does: after a restart fewer contacts count."""
    return [
        minute
        for minute in range(1, weeks * WEEK_MINUTES + 1)
        if not detector.is_fine([series], minute * M, 0) and not detector.quiet([series], minute * M, 0)
    ]


def pages(
    detector: Detector, timing: Timing, series: Series, weeks: int, worth: list[int]
) -> list[tuple[int, int]]:
    """Begin and end of each page, in minutes."""
    found: list[tuple[int, int]] = []
    began, now, done = None, Standing(), 0
    while (place := bisect_right(worth, done)) < len(worth):
        done = worth[place] - 1
        for after, change in transitions(
            [series], (done * M, weeks * WEEK_MINUTES * M), M, detector, timing, now
        ):
            now, done = after, done + 1
            if change and change.to == "firing":
                began = change.at // M
            elif change and began is not None and change.to in ("resolved", "expired"):
                found.append((began, change.at // M))
                began = None
            if now.state == "inactive":
                break
    return found


def measured(
    detector: Detector,
    timing: Timing,
    calm: Series,
    dipped: Series,
    dips: list[Dip],
    weeks: int,
    worth: list[list[int]],
) -> dict[str, Any]:
    """False pages on the calm stream; what was found of the dips, when, how often, and again afterwards."""
    found = [begin for begin, _ in pages(detector, timing, dipped, weeks, worth[1])]
    own = []
    for dip in dips:
        within = [page for page in found if dip.begin < page <= dip.end + GRACE_MINUTES]
        after = [page for page in found if dip.end + GRACE_MINUTES < page <= dip.end + AFTER_MINUTES]
        delay = within[0] - dip.begin if within else None
        own.append({"visible": round(dip.visible, 2), "level": dip.level, "delay": delay,
                    "pages": len(within), "after": len(after) if within else 0})  # fmt: skip
    return {"false": len(pages(detector, timing, calm, weeks, worth[0])), "dips": own}


def run(kpi: str, per_hour: int, seed: int, weeks: int, noise: float) -> dict[str, Any]:
    """All detectors on one queue, and what they took of the CPU."""
    begun, shape = time.process_time(), SHAPES[kpi]
    calm, dipped, dips = streams(seed, shape, per_hour, weeks, noise)
    found, known = {}, dict[type, list[list[int]]]()
    for name, (detector, timing) in detectors(shape).items():
        if type(detector) not in known:  # profiles have one target
            known[type(detector)] = [noteworthy(detector, series, weeks) for series in (calm, dipped)]
        found[name] = measured(detector, timing, calm, dipped, dips, weeks, known[type(detector)])
    return {
        "kpi": kpi,
        "per_hour": per_hour,
        "seed": seed,
        "weeks": weeks,
        "noise": noise,
        "cpu_s": round(time.process_time() - begun, 1),
        "detectors": found,
    }


def share(found: list[dict[str, Any]], least: float) -> str:
    """Recall of the dips that are visible so well."""
    own = [dip for dip in found if dip["visible"] >= least]
    return f"{100 * sum(dip['delay'] is not None for dip in own) / len(own):.1f} %" if own else "-"


def delays(found: Iterable[dict[str, Any]]) -> str:
    """Median and 95th percentile in minutes."""
    known = sorted(dip["delay"] for dip in found if dip["delay"] is not None)
    if len(known) < 2:
        return "-"
    return f"{statistics.median(known):.0f} / {known[min(len(known) - 1, int(0.95 * len(known)))]}"


def rows(lines: list[dict[str, Any]]) -> list[list[str]]:
    """A row for each KPI and detector."""
    found = []
    for kpi in SHAPES:
        for name in (*PROFILES, "static"):
            own = [line for line in lines if line["kpi"] == kpi]
            if not own:
                continue
            by_size = [
                sum(line["detectors"][name]["false"] for line in own if line["per_hour"] == size)
                / max(1, sum(line["weeks"] for line in own if line["per_hour"] == size))
                for size in SIZES
            ]
            dips = [dip for line in own for dip in line["detectors"][name]["dips"]]
            deep = [
                dip
                for line in own
                for dip in line["detectors"][name]["dips"]
                if line["per_hour"] == SIZES[-1] and dip["level"] == min(SHAPES[kpi].levels)
            ]
            seen = [dip for dip in dips if dip["delay"] is not None]
            false = sum(line["detectors"][name]["false"] for line in own) / sum(line["weeks"] for line in own)
            found.append([
                kpi, name, f"{false:.3f}", " / ".join(f"{rate:.2f}" for rate in by_size),
                share(dips, 4), share(dips, 6),
                delays(dip for dip in dips if dip["visible"] >= 6), delays(deep),
                f"{sum(dip['pages'] for dip in seen) / max(1, len(seen)):.3f}",
                f"{sum(dip['after'] for dip in seen) / max(1, len(seen)):.3f}",
            ])  # fmt: skip
    return found


HEAD = ("KPI", "rule", "false pages a week", "at 5 / 20 / 60 / 150 / 500 an hour", "recall z >= 4",
        "recall z >= 6", "delay p50 / p95, min (z >= 6)", "of severe ones at 500",
        "pages per dip", "again in 5 h")  # fmt: skip


def main() -> None:
    """The runs, or the table of their lines."""
    parser = argparse.ArgumentParser(prog="python -m bench.alert_quality", description=__doc__)
    parser.add_argument("--kpi", nargs="+", choices=[*SHAPES], default=[*SHAPES])
    parser.add_argument("--per-hour", nargs="+", type=int, default=SIZES)
    parser.add_argument("--seed", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--weeks", type=int, default=100)
    parser.add_argument("--noise", type=float, default=0.25)
    parser.add_argument("--table", nargs="+", type=Path, metavar="FILE", help="make the table of these lines")
    given = parser.parse_args()
    if given.table:
        lines = [json.loads(line) for path in given.table for line in path.read_text().splitlines()]
        for row in (HEAD, ("---",) * len(HEAD), *rows(lines)):
            print("| " + " | ".join(row) + " |")
        return
    for kpi, seed, per_hour in itertools.product(given.kpi, given.seed, given.per_hour):
        print(json.dumps(run(kpi, per_hour, seed, given.weeks, given.noise)), flush=True)


if __name__ == "__main__":
    main()
