"""The evaluator as it runs: once a minute, event time, and the outbox emptied beside it."""

import sqlite3
import threading
from collections.abc import Callable, Collection

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from alerts.asking import QueryFault, answers
from alerts.evaluate import Evaluator, settle_of
from alerts.history import store
from alerts.holding import Holding
from alerts.label_sets import minutes_of
from alerts.lease import LeaseLost
from alerts.ledger import Ledger
from alerts.notify.sender import send_due
from alerts.receivers import Receivers
from alerts.reminding import remind
from alerts.rule import Group, RuleFile
from alerts.self_test import self_test
from alerts.watching import Watchman
from schemas.time_units import DAY_MS, MINUTE_MS

log = structlog.get_logger()
SENDING_EVERY_S, LOOKING_EVERY_S = 0.5, 1.0
# After a longer pause the evaluator begins at the present: what was in between is for `alerts backtest`.
CATCH_UP_MS = 7 * DAY_MS


def edge(group: Group, now_ms: int) -> int:
    """Up to when a group can be evaluated: whole steps, and the last `settle` left alone."""
    settled = now_ms - settle_of(group)
    return settled - settled % group.interval


def catch_up(group: Group, evaluator: Evaluator, client: Client, now_ms: int) -> int:
    """Evaluate all steps of a group that are due; how many changes that were worth telling there were."""
    end = edge(group, now_ms)
    begin = evaluator.ledger.position(group.name)
    if begin is None or end - begin > CATCH_UP_MS:
        begin = end - group.interval
    if begin >= end:
        return 0
    span = begin, end
    minutes = minutes_of(
        client, group, evaluator.kpis, evaluator.detectors(group), span, evaluator.rules, evaluator.memory
    )
    said = answers(client, group, end)
    for alert, fault in said.items():
        if isinstance(fault, QueryFault):
            log.warning("a query cannot be judged", alert=alert, why=str(fault))
    changed = evaluator.evaluate(group, minutes, span, now_ms, said)
    for change in changed:
        log.info("alert", group=group.name, to=change.to, at=change.at, opened_at=change.opened_at)
    return len(changed)


def run(
    file: RuleFile,
    evaluator: Evaluator,
    client: Client,
    now_ms: Callable[[], int | None],
    stop: threading.Event,
    may: Callable[[], bool],
    ours: Callable[[], bool] = lambda: True,
) -> None:
    """Evaluate until told to stop. A ClickHouse that is away is waited for: nothing is decided without it.

    `may` it decide, and is what it has decided still `ours` to tell of?
    """
    silent, retired = False, False
    kpi_by_alert = {rule.alert: rule.about for group in file.groups for rule in group.rules}
    while not stop.is_set():
        try:
            if may() and (now := now_ms()) is not None:
                if not retired:
                    evaluator.retire(file, now)
                    retired = True
                for group in file.groups:
                    catch_up(group, evaluator, client, now)
                if ours():
                    store(client, evaluator.ledger, kpi_by_alert)
            if silent:
                log.info("ClickHouse answers, alerts are evaluated again")
            silent = False
        except LeaseLost:
            log.warning("another evaluator has taken over")
        except sqlite3.OperationalError as error:
            log.warning("alerts wait for the ledger", error=str(error))
        except (ClickHouseError, OSError) as error:
            if not silent:
                log.warning("alerts wait for ClickHouse", error=type(error).__name__)
            silent = True
        shortest = min(group.interval for group in file.groups)
        stop.wait(min(LOOKING_EVERY_S, shortest / 1000))


def send_until_stopped(
    ledger: Ledger,
    receivers: Receivers,
    holding: Holding,
    watchman: Watchman,
    now_ms: Callable[[], int],
    stop: threading.Event,
    ours: Callable[[], bool],
    shown: Callable[[Collection[str] | None], None] = lambda _: None,
) -> None:
    """Empty the outbox until told to stop, with a connection of its own: a slow receiver holds nothing up.

    `shown` hears once a minute which faults there are, or None while another evaluator has the voice.
    """
    known = {receiver.name: receiver for receiver in receivers.receivers}
    looked = 0
    try:
        while not stop.is_set():
            try:
                send_due(ledger, known, now_ms, holding=holding, ours=ours)
                if now_ms() - looked >= MINUTE_MS and ours():
                    looked = now_ms()
                    remind(ledger, receivers.receivers, looked, receivers.route)
                    self_test(ledger, receivers, looked)
                    shown(watchman.look(looked))
                elif not ours():
                    shown(None)
            except sqlite3.OperationalError as error:  # it is locked while a long outage is caught up with
                log.warning("notifications wait for the ledger", error=str(error))
            stop.wait(SENDING_EVERY_S)
    finally:
        stop.set()  # to evaluate what nobody is told would be worse than to end
        ledger.close()
