"""`ringback alerts run`: the evaluator and its sender."""

import asyncio
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated

import structlog
import typer
from clickhouse_connect.driver.client import Client

from alerts.evaluate import Evaluator, settle_of
from alerts.holding import Holding, known_rules
from alerts.label_sets import label_set_counts
from alerts.lease import Lease, LeaseLost
from alerts.ledger import Ledger
from alerts.ledger_topic import ANSWER_S
from alerts.metrics import AlertMetrics
from alerts.notify.post import TIMEOUT_S
from alerts.receivers import Receivers, secrets_missing
from alerts.rule import RuleFile
from alerts.sense import doubtful
from alerts.service import run as run_until_stopped
from alerts.service import send_until_stopped
from alerts.silences import Silences
from alerts.voice import Voice
from alerts.watching import Watchman
from cli.alerting.estimated import estimated
from cli.alerting.files import Rules, Told, now_ms, open_ledger, receivers_in, rules_in
from cli.clickhouse import client
from cli.console import settings
from cli.kpi import answering
from cli.metrics_server import serve_registry
from cli.port_offsets import ALERTS_PORT_OFFSET
from cli.settings import Settings, rules_of
from kpis.catalogue.every_kpi import every_kpi
from kpis.dips.weeks import WEEK_MS
from reports.minutes import newest_minute_end
from streams.health.ready_file import mark
from streams.kafka.topics import wait_for_topics

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
    kpis = every_kpi(own)
    file, told = rules_in(rules, config, kpis), receivers_in(receivers, config)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    database, week = client(config), (now_ms() - WEEK_MS, now_ms())
    with answering():
        counts = label_set_counts(database, file, kpis, own.async_channels, week)
    ledger, outbox = open_ledger(config), open_ledger(config, threads=True)
    turn = by_kafka(config) if config.alert_ledger == "kafka" else by_file(ledger, outbox)
    evaluator = Evaluator(own, ledger, told.receivers, config.timezone, partial(guarded, turn), told.route)
    metrics = AlertMetrics()
    served = serve_registry(config, metrics.registry, ALERTS_PORT_OFFSET)
    sender = threading.Thread(
        target=speak, args=(file, told, outbox, turn.speaks, stop, metrics), daemon=True
    )
    sender.start()
    for doubt in (*doubtful(file, told), *unseen(counts), *secrets_missing(told)):
        log.warning("alerts may not be told as they are meant", why=doubt)
    rules_n = len(counts) + len(file.queries)
    log.info("alerts are evaluated", rules=rules_n, estimate=estimated(file, counts))
    mark(True)
    try:
        times = clock_of(clock, database)
        run_until_stopped(file, evaluator, database, times, stop, turn.may, turn.told)
    finally:
        mark(False)
        stop.set()
        sender.join(TIMEOUT_S + 1)
        turn.end()
        ledger.close()
        if served is not None:
            served.shutdown()


def unseen(counts: Mapping[str, int]) -> list[str]:
    """Rules that nothing of the last week is about, once there has been anything."""
    none = [alert for alert, number in counts.items() if not number]
    return [f"{alert}: no contact of the last week has its labels" for alert in none if any(counts.values())]


@dataclass(frozen=True, slots=True)
class Turn:
    """Is it this evaluator's turn: to decide, within a decision, to store what was decided, to speak?"""

    may: Callable[[], bool]
    still: Callable[[], bool]
    told: Callable[[], bool]
    speaks: Callable[[], bool]
    end: Callable[[], None]


def by_file(ledger: Ledger, outbox: Ledger) -> Turn:
    """Evaluators that share a data folder."""
    lease = Lease(ledger, f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}")
    spoken = lease.seen_from(outbox)
    return Turn(
        lambda: lease.take(now_ms()), lambda: lease.prolong(now_ms()), lambda: True,
        lambda: spoken.held(now_ms()), lease.give_back,
    )  # fmt: skip


def by_kafka(config: Settings) -> Turn:
    """Evaluators of several machines, that share a topic."""
    servers = config.bootstrap_servers
    asyncio.run(wait_for_topics(servers, config.partitions, config.replication))
    copied = open_ledger(config, threads=True)
    voice, leave = Voice(servers, copied), threading.Event()
    keeper = threading.Thread(target=voice.keep, args=(leave,), daemon=True)
    keeper.start()

    def end() -> None:
        voice.told()  # who comes next is to know what was said last
        leave.set()
        keeper.join(ANSWER_S + 1)
        copied.close()

    return Turn(voice.ours, voice.ours, voice.told, voice.told, end)


def guarded(turn: Turn) -> None:
    """Raises LeaseLost where another evaluator has taken over."""
    if not turn.still():
        raise LeaseLost


def speak(
    file: RuleFile,
    told: Receivers,
    outbox: Ledger,
    speaks: Callable[[], bool],
    stop: threading.Event,
    metrics: AlertMetrics,
) -> None:
    """What the sender's thread does."""
    settle = {group.name: settle_of(group) for group in file.groups}
    watchman = Watchman(outbox, file, told, settle.__getitem__)
    holding = Holding(Silences(outbox), known_rules(file), told)

    def show(faults: Collection[str] | None) -> None:
        if faults is None:
            metrics.silent()
        else:
            metrics.show(outbox, file, faults, now_ms())

    send_until_stopped(outbox, told, holding, watchman, now_ms, stop, speaks, show)
