"""Metrics of a part that has no loop of its own, served from a thread."""

from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from cli.console import err
from cli.settings import Settings


def serve_registry(config: Settings, registry: CollectorRegistry, offset: int) -> WSGIServer | None:
    """Serve them; says so where the port is taken, and goes on without."""
    port = config.metrics_port + offset
    try:
        server, _ = start_http_server(port, config.metrics_host, registry)
    except OSError as error:
        err.print(f"no metrics: port {port}: {error.strerror}", highlight=False, markup=False)
        return None
    return server
