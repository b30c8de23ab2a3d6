"""`python -m bench.alert_log FILE...`: what the default rules, or `--rules`, find in a call log.

The files are the Anonymous Bank's, or with `--source servicenow` an incident log, and are taken together.
`--alone` takes each of their weeks by itself, as if nothing were known of the time before: the first days of
an installation.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.bank.file import read_bank
from adapters.kit.lines import open_lines
from adapters.kit.outcomes import Accepted
from adapters.servicenow.file import read_servicenow
from alerts.detectors import detector_of
from alerts.episodes import Episode, episodes
from alerts.label_sets import parts_of
from alerts.rule_file import load_rules
from kpis.catalogue.every_kpi import every_kpi
from kpis.dips.weeks import WEEK_MS
from kpis.fold.events import fold
from kpis.rules import DEFAULT_RULES
from kpis.tallies.windows import MEASURES, contribution
from reports.minutes import MinuteSums
from schemas.time_units import HOUR_MS, MINUTE_MS

SOURCES = {"bank": (read_bank, "Asia/Jerusalem"), "servicenow": (read_servicenow, "UTC")}
DEFAULT = Path(str(files("alerts"))) / "default_rules.yaml"
KPIS = every_kpi(DEFAULT_RULES)


def minutes_of(paths: Sequence[Path], source: str = "bank") -> list[MinuteSums]:
    """All that is counted in the files, by minute and queue."""
    sums: dict[tuple[int, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for path in paths:
        with open_lines(path) as file:
            for item in SOURCES[source][0](file, b"bench"):
                if not isinstance(item, Accepted):
                    continue
                for window, tally in contribution(fold(item.events), DEFAULT_RULES).items():
                    own = sums[window.start, window.channel, window.queue]
                    for name, amount in zip(MEASURES, tally, strict=True):
                        own[name] += amount
    return [MinuteSums(*place, dict(own)) for place, own in sorted(sums.items())]


def by_hour(minutes: Sequence[MinuteSums]) -> list[MinuteSums]:
    """The same by hour, as `usual` looks at them."""
    sums: dict[tuple[int, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in minutes:
        own = sums[each.minute // HOUR_MS * HOUR_MS, each.channel, each.queue]
        for name, amount in each.sums.items():
            own[name] += amount
    return [MinuteSums(*place, dict(own)) for place, own in sorted(sums.items())]


def found_in(minutes: Sequence[MinuteSums], zone: str, path: Path = DEFAULT) -> list[Episode]:
    """Episodes of the rules, from the first minute to some hours after the last."""
    file = load_rules(path, KPIS)
    hours, found = by_hour(minutes), list[Episode]()
    span = minutes[0].minute, minutes[-1].minute + 5 * HOUR_MS
    for group in file.groups:
        for rule in group.rules:
            sources = [source for source, _ in parts_of(rule, KPIS[rule.kpi], KPIS)]
            read = {source: hours if source.hourly else minutes for source in sources}
            detector = detector_of(rule, KPIS[rule.kpi], zone)
            found += episodes(group, rule, KPIS, detector, read, span, DEFAULT_RULES.async_channels)
    return sorted(found, key=lambda one: (one.fired_at, one.alert, one.labels))


def show(title: str, found: Sequence[Episode], zone: str) -> None:
    """An episode a line."""
    print(f"{title}: {len(found)} episodes")
    for one in found:
        fired, over = (
            datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)) if at else None
            for at in (one.fired_at, one.ended_at)
        )
        until = f"{over:%d %b %H:%M}" if over else "-"
        queue, window = dict(one.labels)["queue"], one.seen.window_ms // MINUTE_MS
        seen = f"{one.value} of {one.seen.n} in {window} min"
        print(f"  {fired:%a %d %b %H:%M} to {until} {one.alert} {queue}: {seen}")


def main() -> None:
    """All files together, and each week alone."""
    parser = argparse.ArgumentParser(prog="python -m bench.alert_log", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--alone", action="store_true", help="each week by itself")
    parser.add_argument("--source", choices=SOURCES, default="bank")
    parser.add_argument("--rules", type=Path, default=DEFAULT)
    given = parser.parse_args()
    minutes, zone = minutes_of(given.files, given.source), SOURCES[given.source][1]
    show("all of it", found_in(minutes, zone, given.rules), zone)
    begin = minutes[0].minute
    while given.alone and begin < minutes[-1].minute:
        week = [each for each in minutes if begin <= each.minute < begin + WEEK_MS]
        title = f"week of {datetime.fromtimestamp(begin / 1000, UTC):%d %b} alone"
        show(title, found_in(week, zone, given.rules), zone)
        begin += WEEK_MS


if __name__ == "__main__":
    main()
