"""Where each part shows its metrics, by the settings."""

from cli.settings import Settings
from streams.health.endpoint import Endpoint

# So far above a worker's port that all workers of `ringback up` have room between, and no two parts meet.
SINK_PORT_OFFSET = 16
GATEWAY_PORT_OFFSET = 32
VERIFY_PORT_OFFSET = 48
WALLBOARD_PORT_OFFSET = 64
PORT_OFFSETS = (SINK_PORT_OFFSET, GATEWAY_PORT_OFFSET, VERIFY_PORT_OFFSET, WALLBOARD_PORT_OFFSET)


def endpoint(config: Settings, group: str, offset: int = 0) -> Endpoint:
    """The address to serve at, and the consumer group whose lag is watched."""
    return Endpoint(config.bootstrap_servers, group, config.metrics_host, config.metrics_port + offset)
