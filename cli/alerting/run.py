"""`ringback alerts run`: the evaluator and its sender."""

import signal
import threading
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Annotated

import structlog
import typer
from clickhouse_connect.driver.client import Client

from alerts.evaluate import Evaluator
from alerts.label_sets import label_set_counts
from alerts.ledger import Ledger
from alerts.notify.post import TIMEOUT_S
from alerts.service import run as run_until_stopped
from alerts.service import send_until_stopped
from cli.alerting.estimated import estimated
from cli.alerting.files import LEDGER, Rules, Told, now_ms, receivers_in, rules_in
from cli.clickhouse import client
from cli.console import settings
from cli.settings import rules_of
from kpis.catalogue.every_kpi import every_kpi
from kpis.dips.weeks import WEEK_MS
from reports.minutes import newest_minute_end
from streams.health.ready_file import mark

log = structlog.get_logger()


class Clock(StrEnum):
    """What tells an evaluator the time."""

    wall = "wall"
    events = "events"


Ticking = Annotated[
    Clock,
    typer.Option(help="wall, or events: it is as late as the newest contact says, as in a simulation."),
]


def clock_of(clock: Clock, database: Client) -> Callable[[], int | None]:
    """The present; None while no contact has told it."""
    return now_ms if clock is Clock.wall else partial(newest_minute_end, database)


def run(rules: Rules = None, receivers: Told = None, clock: Ticking = Clock.wall) -> None:
    """Evaluate the rules every minute and tell the receivers, until Ctrl-C or SIGTERM.

    Where it stands and what is to be sent is in the file alerts.sqlite of the data folder. `ringback up` runs
    it beside worker and sink.

    Example: ringback alerts run --receivers receivers.yaml
    """
    config = settings()
    own = rules_of(config)
    file, told = rules_in(rules, config, every_kpi(own)), receivers_in(receivers, config)
    path, stop = config.data_dir / LEDGER, threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    database = client(config)
    ledger, outbox = Ledger(path), Ledger(path, threads=True)
    names = tuple(receiver.name for receiver in told.receivers)
    sender = threading.Thread(target=send_until_stopped, args=(outbox, told, now_ms, stop), daemon=True)
    sender.start()
    evaluator = Evaluator(own, ledger, names, config.timezone)
    counts = label_set_counts(
        database, file, evaluator.kpis, own.async_channels, (now_ms() - WEEK_MS, now_ms())
    )
    log.info("alerts are evaluated", rules=len(counts), estimate=estimated(file, counts))
    mark(True)
    try:
        run_until_stopped(file, evaluator, database, clock_of(clock, database), stop)
    finally:
        mark(False)
        stop.set()
        sender.join(TIMEOUT_S + 1)
        ledger.close()
