"""Where a worker or sink shows its metrics, by the settings."""

from cli.settings import Settings
from streams.health.endpoint import Endpoint

# So far above a worker's port that all workers of `ringback up` have room between.
SINK_PORT_OFFSET = 16


def endpoint(config: Settings, group: str, offset: int = 0) -> Endpoint:
    """The address to serve at, and the consumer group whose lag is watched."""
    return Endpoint(config.bootstrap_servers, group, config.metrics_host, config.metrics_port + offset)
