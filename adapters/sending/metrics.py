"""What Prometheus sees of a source that is followed or listened to; docs/reference/metrics.md says it too."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from adapters.sending.outcomes import Counts

EVENTS = "Events that were sent; what is sent again after a crash is counted again."
DEAD = "Dead letters that were sent."
GAPS = (
    "How often something was lost: lines of a log, or rows of a table, that were gone before they were read; "
    "of a connection how often it was lost, for nobody tells again what happened meanwhile."
)
CONNECTED = "1 while the log can be read, or somebody is connected and logged in."
HEARD = "When the log was last read to its end, or something was last heard, UTC seconds."


class Measured(Collector):
    """The counts of one source, as they are when asked."""

    def __init__(self, source: str, counts: Counts) -> None:
        self._source, self._counts = source, counts

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        counts = self._counts
        for name, says, total in (
            ("events", EVENTS, counts.sent),
            ("dead_letters", DEAD, counts.dead_letters),
            ("gaps", GAPS, counts.gaps),
        ):
            counter = CounterMetricFamily(f"ringback_source_{name}", says, labels=["source"])
            counter.add_metric([self._source], total)
            yield counter
        for name, says, value in (
            ("connected", CONNECTED, float(counts.connected)),
            ("heard_timestamp_seconds", HEARD, counts.heard_s),
        ):
            gauge = GaugeMetricFamily(f"ringback_source_{name}", says, labels=["source"])
            gauge.add_metric([self._source], value)
            yield gauge


def registry_of(source: str, counts: Counts) -> CollectorRegistry:
    """What is served."""
    registry = CollectorRegistry()
    registry.register(Measured(source, counts))
    return registry
