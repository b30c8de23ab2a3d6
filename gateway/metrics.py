"""What the gateway counts of itself, for Prometheus. docs/reference/metrics.md is made from it."""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
REQUESTS = "Requests answered, by status and, where refused, the code of the reason."
EVENTS = "Events that Kafka has acknowledged or the spool holds; what a sender repeats is counted again."
HEARD = "When a source last signed a request, UTC seconds."
SPOOLED = "Records that went to the spool, since Kafka did not take them in time."
SPOOL = "Bytes in the spool, which Kafka does not have yet."
DEAD = "Payloads of a source that make no event."
IGNORED = "Payloads of a source that are known and tell of no contact."
UNKNOWN = "Payloads of a source of a kind that this version does not know; no dead letters."
TOOK = "From a request's headers to its answer."
OPEN = "Requests that are being answered."


class GatewayMetrics:
    """Metrics of one gateway, in a registry of their own. `source` is a registered name, or `events`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, registry=self.registry, namespace="ringback", subsystem="gateway")
        self.requests = counter("requests_total", REQUESTS, ("source", "status", "code"))
        self.events = counter("events_total", EVENTS, ("source", "type"))
        self.dead_letters = counter("dead_letters_total", DEAD, ("source", "reason"))
        self.ignored = counter("ignored_total", IGNORED, ("source", "reason"))
        self.unknown = counter("unknown_total", UNKNOWN, ("source",))
        self.seconds = Histogram(
            "ringback_gateway_request_seconds", TOOK, ("source",), registry=self.registry, buckets=SECONDS
        )
        self.open = Gauge("ringback_gateway_open_requests", OPEN, registry=self.registry)

        self.heard = Gauge("ringback_gateway_heard_seconds", HEARD, ("source",), registry=self.registry)
        self.spooled = counter("spooled_total", SPOOLED)
        self.spool_bytes = Gauge("ringback_gateway_spool_bytes", SPOOL, registry=self.registry)

    @property
    def all(self) -> tuple[MetricWrapperBase, ...]:
        """Every metric, in the order of the page."""
        counters = (self.requests, self.events, self.dead_letters, self.ignored, self.unknown)
        return (*counters, self.seconds, self.open, self.heard, self.spooled, self.spool_bytes)
