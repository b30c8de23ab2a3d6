"""Where each part shows its metrics, by the settings."""

from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from cli.console import err
from cli.settings import Settings
from streams.health.endpoint import Endpoint

# So far above a worker's port that all workers of `ringback up` have room between, and no two parts meet.
SINK_PORT_OFFSET = 16
GATEWAY_PORT_OFFSET = 32
VERIFY_PORT_OFFSET = 48
WALLBOARD_PORT_OFFSET = 64
ALERTS_PORT_OFFSET = 80
PORT_OFFSETS = (
    SINK_PORT_OFFSET,
    GATEWAY_PORT_OFFSET,
    VERIFY_PORT_OFFSET,
    WALLBOARD_PORT_OFFSET,
    ALERTS_PORT_OFFSET,
)


def endpoint(config: Settings, group: str, offset: int = 0) -> Endpoint:
    """The address to serve at, and the consumer group whose lag is watched."""
    return Endpoint(config.bootstrap_servers, group, config.metrics_host, config.metrics_port + offset)


def serve_registry(config: Settings, registry: CollectorRegistry, offset: int) -> WSGIServer | None:
    """Serve metrics from a thread; says so where the port is taken, and goes on without."""
    port = config.metrics_port + offset
    try:
        server, _ = start_http_server(port, config.metrics_host, registry)
    except OSError as error:
        err.print(f"no metrics: port {port}: {error.strerror}", highlight=False, markup=False)
        return None
    return server
