"""What worker and sink count of themselves, for Prometheus. docs/reference/metrics.md is made from it.

Counted by batch, never by event: a batch of 2,000 events costs a dozen additions.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from schemas.topics import table_of
from streams.kafka.record import RefusedRecord
from streams.state.table import Table

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
Made = TypeVar("Made", bound=MetricWrapperBase)
RECORDS = (1, 10, 50, 100, 250, 500, 1_000, 1_500, 2_000)
LAG_EVENTS = "Records in Kafka that are not yet done: applied, or stored in ClickHouse. Asked every 2 s."
LAG_SECONDS = (
    "Age of the newest record that is done, or time since there was last no lag if that is less. 0 without "
    "lag. By the time of sending, not of the event."
)
REMAINING = "Changelog records that a recovering worker still has to read."
STATE_BYTES = "Bytes of their keys and values, without what Python adds; on disk an estimate, compressed."
APPLIED = "Records that changed the worker's state, or were passed on."
IGNORED = "Records that changed nothing: known already, or older than what is known."
CORRECTIONS = "Of those applied, contact events that replaced an older statement of the same event."
WRITING = "Writing a batch until Kafka has acknowledged: state, outputs, totals."
INSERTING = "An insert until ClickHouse has acknowledged, waiting for it included."


class Metrics:
    """Metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._labels: dict[MetricWrapperBase, tuple[str, ...]] = {}

        def noted(metric: Made, labels: tuple[str, ...]) -> Made:
            self._labels[metric] = labels
            return metric

        def counter(name: str, says: str, *labels: str) -> Counter:
            return noted(Counter(f"ringback_{name}", says, labels, registry=registry), labels)

        def gauge(name: str, says: str, *labels: str) -> Gauge:
            return noted(Gauge(f"ringback_{name}", says, labels, registry=registry), labels)

        def histogram(name: str, says: str, buckets: Sequence[float], *labels: str) -> Histogram:
            made = Histogram(f"ringback_{name}", says, labels, buckets=buckets, registry=registry)
            return noted(made, labels)

        where = ("topic", "partition")
        self.ready = gauge("ready", "1 while the process has recovered and takes events.")
        self.stuck = gauge("stuck", "1 while there is lag and nothing has been done for 30 s.", *where)
        self.lag_events = gauge("lag_events", LAG_EVENTS, *where)
        self.lag_seconds = gauge("lag_seconds", LAG_SECONDS, *where)
        self.remaining = gauge("recovery_remaining_records", REMAINING)
        self.state_records = gauge(
            "state_records", "Records of a worker's state; on disk an estimate.", "table"
        )
        self.state_bytes = gauge("state_bytes", STATE_BYTES, "table")
        self.applied = counter("events_applied_total", APPLIED, "topic")
        self.ignored = counter("duplicates_ignored_total", IGNORED, "topic")
        self.corrections = counter("corrections_total", CORRECTIONS, "topic")
        self.dead_letters = counter("dead_letters_total", "Records that are no events.", "topic", "reason")
        self.batches = histogram("batch_records", "Records in a batch.", RECORDS, "topic")
        self.applying = histogram("apply_seconds", "Computing what a batch changes.", SECONDS, "topic")
        self.writing = histogram("write_seconds", WRITING, SECONDS, "topic", "what")
        self.inserting = histogram("insert_seconds", INSERTING, SECONDS, "table")
        self.rows = counter("inserted_rows_total", "Rows that ClickHouse has acknowledged.", "table")
        self.commits = counter("commits_total", "Commits of offsets.")

    def described(self) -> list[tuple[str, str, str]]:
        """Name, type and labels of all metrics, as they are exposed."""
        return [
            (family.name + ("_total" if family.type == "counter" else ""), family.type, ", ".join(labels))
            for metric, labels in self._labels.items()
            for family in metric.describe()
        ]

    def inserted(self, table: str, rows: int, seconds: float) -> None:
        """An insert into ClickHouse was acknowledged."""
        self.rows.labels(table).inc(rows)
        self.inserting.labels(table).observe(seconds)

    def table_size(self, table: Table) -> None:
        """What a table holds now."""
        name = table_of(table.changelog)
        self.state_records.labels(name).set(table.records)
        self.state_bytes.labels(name).set(table.size)


class TopicMetrics:
    """Metrics of one topic that a worker reads; labels are looked up once."""

    def __init__(self, metrics: Metrics, topic: str) -> None:
        self.all = metrics
        self.topic = topic
        self._applied = metrics.applied.labels(topic)
        self._ignored = metrics.ignored.labels(topic)
        self._corrections = metrics.corrections.labels(topic)
        self._batches = metrics.batches.labels(topic)
        self.applying = metrics.applying.labels(topic)
        self.state, self.outputs, self.totals = (
            metrics.writing.labels(topic, what) for what in ("state", "outputs", "totals")
        )

    def batch(self, records: int, applied: int, refused: Iterable[RefusedRecord], corrected: int = 0) -> None:
        """A batch was applied and is safe."""
        bad = Tally(item.reason for item in refused)
        for reason, number in bad.items():
            self.all.dead_letters.labels(self.topic, reason).inc(number)
        self._batches.observe(records)
        self._applied.inc(applied)
        # A full contact also gives up what it had before: more is refused then than came.
        self._ignored.inc(max(records - applied - bad.total(), 0))
        self._corrections.inc(corrected)


def set_only(gauge: Gauge, values: dict[tuple[str, ...], float]) -> None:
    """Set a gauge for these labels and drop every other: partitions that have left are not told of."""
    known = {tuple(sample.labels.values()) for family in gauge.collect() for sample in family.samples}
    for labels in known - values.keys():
        gauge.remove(*labels)
    for labels, value in values.items():
        gauge.labels(*labels).set(value)
