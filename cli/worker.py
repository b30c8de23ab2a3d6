"""`ringback worker`: one stream worker, for containers."""

from cli.console import WRONG_USE, fail, settings
from cli.endpoint import endpoint
from cli.stream_settings import stream_config
from cli.wire import wire
from schemas.topics import WORKER_GROUP
from streams.engine.worker import run_worker
from streams.health.observer import observed
from streams.state.disk import require_rocksdict
from streams.state.table import StateStoreError


def worker() -> None:
    """Run one stream worker until SIGTERM: events to facts, KPI windows and quarters.

    Example: KAFKA_BOOTSTRAP_SERVERS=kafka:9092 ringback worker
    """
    config = settings()
    try:
        if config.state_store == "rocksdict":
            require_rocksdict()
    except StateStoreError as error:
        fail(str(error), WRONG_USE)
    with observed("worker", endpoint(config, WORKER_GROUP)) as health:
        run_worker(stream_config(config), wire(config), health)
