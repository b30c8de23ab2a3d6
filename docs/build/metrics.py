"""docs/reference/metrics.md, from the help texts in the class Metrics."""

from docs.build.markdown import MADE, code, page, table
from streams.health.metrics import Metrics

HEAD = """Worker and sink serve these for Prometheus; [monitoring](../operating/monitoring.md) says
where, and what to watch. Counters begin at 0 with the process; what is delivered again after a crash is
counted again. Labels `topic` of a worker are its stages: `contact-events`, `agent-events`,
`customer-contacts`, `agent-activity`. CPU, memory and open files of the process are there as well
(`process_...`)."""


def meanings(metrics: Metrics) -> dict[str, str]:
    """What each metric says of itself, by the name that it is exposed under."""
    return {
        family.name + ("_total" if family.type == "counter" else ""): family.documentation
        for family in metrics.registry.collect()
    }


def reference() -> str:
    """docs/reference/metrics.md: every metric of worker and sink."""
    metrics = Metrics()
    said = meanings(metrics)
    rows = [
        (code(name), kind, ", ".join(code(label) for label in labels.split(", ") if label), said[name])
        for name, kind, labels in metrics.described()
    ]
    return page("# Metrics", MADE, HEAD, table(("Metric", "Type", "Labels", "Meaning"), rows))
