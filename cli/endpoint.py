"""Where each part shows its metrics, by the settings."""

from cli.settings import Settings
from streams.health.endpoint import Endpoint


def endpoint(config: Settings, group: str, offset: int = 0) -> Endpoint:
    """The address to serve at, and the consumer group whose lag is watched."""
    return Endpoint(config.bootstrap_servers, group, config.metrics_host, config.metrics_port + offset)
