"""Metrics of the wallboard."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


def registry() -> CollectorRegistry:
    """One of our own, with the figures of the process."""
    found = CollectorRegistry()
    ProcessCollector(registry=found)
    return found


@dataclass(slots=True)
class Metrics:
    """What whoever runs the wallboard may watch."""

    registry: CollectorRegistry = field(default_factory=registry)
    read_s: Histogram = field(init=False)
    failed: Counter = field(init=False)
    viewers: Gauge = field(init=False)

    def __post_init__(self) -> None:
        self.read_s = Histogram(
            "ringback_wallboard_read_seconds", "How long ClickHouse took for a part of the wall.",
            ["part"], buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.failed = Counter(
            "ringback_wallboard_read_failures_total", "Reads that ClickHouse did not answer.",
            ["part"], registry=self.registry,
        )  # fmt: skip
        self.viewers = Gauge(
            "ringback_wallboard_viewers", "Pages that are open and follow.", registry=self.registry
        )
