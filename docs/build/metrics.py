"""docs/reference/metrics.md, from the help texts in the classes of metrics."""

from collections.abc import Iterable

from prometheus_client.metrics import MetricWrapperBase

from adapters.sending.metrics import Measured
from adapters.sending.outcomes import Counts
from alerts.metrics import AlertMetrics
from docs.build.markdown import MADE, code, page, table
from gateway.metrics import GatewayMetrics
from streams.health.metrics import Metrics
from wallboard.metrics import Metrics as WallboardMetrics

HEAD = """Worker and sink serve these for Prometheus; [monitoring](../operating/monitoring.md) says
where, and what to watch. Counters begin at 0 with the process; what is delivered again after a crash is
counted again. Labels `topic` of a worker are its stages: `contact-events`, `agent-events`,
`customer-contacts`, `agent-activity`. CPU, memory and open files of the process are there as well
(`process_...`)."""

GATEWAY = """At `/metrics` on `RINGBACK_METRICS_PORT` + 32; [the gateway](../guide/gateway.md) says what to
watch."""

WALLBOARD = """At `/metrics` on `RINGBACK_METRICS_PORT` + 64, of [the wallboard](../guide/wallboard.md)."""

ALERTS = """At `/metrics` on `RINGBACK_METRICS_PORT` + 80, of [`ringback alerts run`](../guide/alerts.md)."""


SOURCES = """At `/metrics` on `RINGBACK_METRICS_PORT` + 96 of `ringback follow`, + 112 of
`ringback listen`. A second one on the machine needs another `RINGBACK_METRICS_PORT`; it says so, and works
without."""


def of_sources() -> list[tuple[str, str, str, str]]:
    """Rows of what follow and listen say of themselves."""
    found = Measured("", Counts()).collect()
    names = {"counter": "_total", "gauge": ""}
    return [(code(row.name + names[row.type]), row.type, code("source"), row.documentation) for row in found]


def meanings(metrics: Metrics) -> dict[str, str]:
    """What each metric says of itself, by the name that it is exposed under."""
    return {
        family.name + ("_total" if family.type == "counter" else ""): family.documentation
        for family in metrics.registry.collect()
    }


def reference() -> str:
    """docs/reference/metrics.md: every metric of worker and sink."""
    metrics, wallboard = Metrics(), WallboardMetrics()
    said = meanings(metrics)
    rows = [
        (code(name), kind, ", ".join(code(label) for label in labels.split(", ") if label), said[name])
        for name, kind, labels in metrics.described()
    ]
    heads = ("Metric", "Type", "Labels", "Meaning")
    return page(
        "# Metrics",
        MADE,
        HEAD,
        table(heads, rows),
        "## Of the gateway",
        GATEWAY,
        table(heads, described(GatewayMetrics().all)),
        "## Of the wallboard",
        WALLBOARD,
        table(heads, described((wallboard.read_s, wallboard.failed, wallboard.viewers))),
        "## Of alerts",
        ALERTS,
        table(heads, described(AlertMetrics().all)),
        "## Of sources that are followed or listened to",
        SOURCES,
        table(heads, of_sources()),
    )


def described(metrics: Iterable[MetricWrapperBase]) -> list[tuple[str, str, str, str]]:
    """Rows of metrics that are described by themselves alone."""
    return [
        (
            code(family.name + ("_total" if family.type == "counter" else "")),
            family.type,
            ", ".join(map(code, metric._labelnames)),
            family.documentation,
        )
        for metric in metrics
        for family in metric.describe()
    ]
