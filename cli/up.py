"""`ringback up`: the local stack in one terminal."""

from typing import Annotated

import typer

from cli.alerting.files import receivers_in, rules_in
from cli.connecting import connecting
from cli.console import out, settings
from cli.settings import rules_of
from cli.stack import addresses, stack
from kpis.catalogue.every_kpi import every_kpi

Workers = Annotated[int, typer.Option(min=1, max=16, help="Stream workers; they share the partitions.")]


def up(workers: Workers = 1) -> None:
    """Run Kafka, ClickHouse, workers, sink and alerts until Ctrl-C; prints "ready" when events can flow.

    With KAFKA_BOOTSTRAP_SERVERS or CLICKHOUSE_URL set, that one is used and none is started. The data stay in
    RINGBACK_DATA_DIR and are there again after the next start.

    Example: ringback up --workers 2
    """
    config = settings()
    rules_in(None, config, every_kpi(rules_of(config)))  # said now, not by a part that keeps dying
    receivers_in(None, config)
    with stack(config, workers) as supervisor:
        out.print(addresses(config), highlight=False, soft_wrap=True)
        for line in connecting(config):
            out.print(line, highlight=False, markup=False, soft_wrap=True)
        supervisor.run()
