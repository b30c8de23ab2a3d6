"""What hangs on the wall at a moment, from rows of ClickHouse: plain documents that become JSON."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from kpis.rules import Rules, target_ms
from reports.kpi.sums import STILL_WAITING, window_value
from wallboard.config import WallConfig
from wallboard.judging import reasons, state_of

DAY_KPIS = ("offered", "answered", "abandoned", "service_level", "abandonment_rate", "asa", "aht")
LIVE = ("waiting_now", "active_now", "acw_now", "live_in_target", "live_n", "oldest_ms")
ADDED_UP = LIVE[:-1]
Row = Mapping[str, Any]
Document = dict[str, Any]
Channels = dict[str, dict[str, int]]


def day_kpis(rules: Rules) -> list[Kpi]:
    """The KPIs of the day."""
    known = every_kpi(rules)
    return [known[name] for name in DAY_KPIS]


def day_measures(rules: Rules) -> tuple[str, ...]:
    """Measures of windows that they are divided from."""
    kpis = day_kpis(rules)
    return tuple(dict.fromkeys(name for kpi in kpis for name in (*kpi.num, *kpi.den, kpi.n) if name))


def quotients(channels: Channels, rules: Rules) -> dict[str, list[int]]:
    """Numerator and denominator by KPI, as `ringback kpi` has them."""
    given = {channel: {STILL_WAITING: 0} | sums for channel, sums in channels.items()}
    values = {kpi.id: window_value(kpi, given, rules) for kpi in day_kpis(rules)}
    return {name: [value["num"], value["den"]] for name, value in values.items()}


def by_queue(rows: Iterable[Row]) -> tuple[dict[str, dict[str, int]], dict[str, Channels]]:
    """Rows of the present, and of the day by channel."""
    live: dict[str, dict[str, int]] = {}
    day: dict[str, Channels] = defaultdict(dict)
    for row in rows:
        sums = {name: int(value) for name, value in row["sums"].items()}
        if row["part"] == "live":
            live[row["queue"]] = sums
        elif any(sums.values()):
            day[row["queue"]][row["channel"]] = sums
    return live, day


def queue_document(
    queue: str,
    live: Mapping[str, int],
    channels: Channels,
    config: WallConfig,
    rules: Rules,
    alerts: Sequence[str],
    as_of_ms: int,
) -> Document:
    """A tile."""
    day, targets = quotients(channels, rules), config.targets_of(queue)
    found = reasons(live, day, targets, alerts)
    channel = max(channels, key=lambda name: channels[name].get("offered", 0), default="")
    return {
        "queue": queue,
        "name": config.named(queue).name or queue,
        "channel": channel,
        "live": {name: live.get(name, 0) for name in LIVE},
        "day": day,
        "targets": targets.model_dump(exclude_none=True),
        "threshold_ms": target_ms(rules, channel, queue, as_of_ms),
        "state": state_of(found, bool(channels or live)),
        "reasons": [asdict(reason) for reason in found],
    }


def now_document(
    rows: Iterable[Row],
    as_of_ms: int,
    config: WallConfig,
    rules: Rules,
    alerts: Mapping[str, Sequence[str]],
    day_of: Callable[[str], int],
) -> Document:
    """The present: every tile, and the house as a whole. `alerts` are names of those firing, by queue."""
    live, day = by_queue(rows)
    shown = config.order({*live, *day})
    queues = [
        queue_document(
            queue, live.get(queue, {}), day.get(queue, {}), config, rules, alerts.get(queue, ()), as_of_ms
        )
        | {"day_ms": day_of(queue)}
        for queue in shown
    ]
    return {"as_of": as_of_ms, "queues": queues, "total": total(shown, live, day, rules)}


def total(
    shown: Sequence[str], live: Mapping[str, Mapping[str, int]], day: Mapping[str, Channels], rules: Rules
) -> Document:
    """All queues on the wall together."""
    channels: Channels = defaultdict(lambda: defaultdict(int))
    for queue in shown:
        for channel, sums in day.get(queue, {}).items():
            for name, value in sums.items():
                channels[channel][name] += value
    sums = {name: sum(live.get(queue, {}).get(name, 0) for queue in shown) for name in ADDED_UP}
    oldest = max((live.get(queue, {}).get("oldest_ms", 0) for queue in shown), default=0)
    return {"live": sums | {"oldest_ms": oldest}, "day": quotients(channels, rules)}
