"""The outbox emptied: each notification tried until it is delivered, refused, or too old."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog

from alerts.grouping import is_unwritten, stand_in, tells_of_others, unwritten, written
from alerts.holding import MUTED, Holding
from alerts.ledger import UNCLEAR, Ledger, Outgoing
from alerts.notify.forms import request_of
from alerts.notify.incidents import severity
from alerts.notify.mail import send
from alerts.notify.post import Delivery, Request, post
from alerts.receivers import Email, Receiver, unread

log = structlog.get_logger()
FIRST_WAIT_MS, LONGEST_WAIT_MS = 1_000, 300_000
GIVE_UP_MS = {"page": 3_600_000, "ticket": 86_400_000}  # nobody is woken by a ticket, however late it is
FALLBACK_TRIES, FALLBACK_AFTER_MS = 3, 120_000


def send_due(
    ledger: Ledger,
    receivers: Mapping[str, Receiver],
    now_ms: Callable[[], int],
    poster: Callable[[Request], Delivery] = post,
    holding: Holding | None = None,
    ours: Callable[[], bool] = lambda: True,
) -> int:
    """Try all that is due, as long as it is ours to speak; how many were delivered.

    A receiver that does not take one is asked again in the next round: it holds up no other, and a limit that
    it keeps to is not run against with each of what waits.
    """
    delivered, away = 0, set[str]()
    while ours() and (outgoing := ledger.claim(now_ms(), away)) is not None:
        receiver, now = receivers.get(outgoing.receiver), now_ms()
        held = held_back(ledger, holding, receiver, now)
        if is_unwritten(outgoing):
            outgoing = replace(outgoing, body=written(ledger, outgoing, lambda body: silent(held(body)), now))  # noqa: B023
            if not outgoing.body:
                ledger.settle(outgoing.id, "dropped", "nothing of it is left to tell", now)
                continue
        until, why = held(outgoing.body)
        if until:
            ledger.hold(outgoing.id, until, why)
            unwritten(ledger, outgoing.id)
            continue
        outcome = try_once(ledger, receiver, outgoing, now_ms, poster)
        delivered += outcome == "sent"
        if outcome == "again":
            away.add(outgoing.receiver)
    return delivered


def silent(held: tuple[int, str]) -> bool:
    """Is one alert held back, and not all that goes to a receiver?"""
    return held[0] > 0 and held[1] != MUTED


def held_back(
    ledger: Ledger, holding: Holding | None, receiver: Receiver | None, now: int
) -> Callable[[Mapping[str, Any]], tuple[int, str]]:
    """Until when, and why, is a message to this receiver held back?"""
    if holding is None or receiver is None:
        return lambda _: (0, "")
    firing = ledger.firing()
    return lambda body: holding.until(body, receiver, firing, now)


def try_once(
    ledger: Ledger,
    receiver: Receiver | None,
    outgoing: Outgoing,
    now_ms: Callable[[], int],
    poster: Callable[[Request], Delivery],
) -> str:
    """One try, and what follows from it; its outcome: sent, again, or dead."""
    if receiver is None:
        done = Delivery("refused", "there is no receiver of this name any more")
    else:
        try:
            done = deliver(receiver, outgoing, now_ms() // 1000, poster)
        except (KeyError, OSError, ValueError) as error:
            done = Delivery("again", unread(error))
    now = now_ms()
    if done.outcome != "sent" and receiver is not None and receiver.fallback:
        waited = now - outgoing.created_at >= FALLBACK_AFTER_MS
        if done.outcome == "refused" or outgoing.tries >= FALLBACK_TRIES or waited:
            if tells_of_others(outgoing):
                stand_in(ledger, outgoing, receiver.fallback, now)
            else:
                ledger.enqueue(outgoing.episode, outgoing.kind, receiver.fallback, outgoing.body, now)
    if done.outcome == "again" and now - outgoing.created_at < longest_wait_ms(outgoing.body):
        why = UNCLEAR + done.error if outgoing.unclear else done.error
        ledger.postpone(outgoing.id, now + wait_ms(outgoing.tries, done.wait_s), why)
        log.warning("notification not delivered yet", receiver=outgoing.receiver, why=done.error)
        return "again"
    state = "sent" if done.outcome == "sent" else "dead"
    ledger.settle(outgoing.id, state, done.error, now)
    if state == "dead":
        log.error("notification given up", receiver=outgoing.receiver, id=outgoing.id, why=done.error)
    return state


def longest_wait_ms(body: dict[str, Any]) -> int:
    """How long a notification is tried: an hour, a ticket for a day."""
    return GIVE_UP_MS.get(severity(body), GIVE_UP_MS["page"])


def deliver(
    receiver: Receiver, outgoing: Outgoing, now_s: int, poster: Callable[[Request], Delivery]
) -> Delivery:
    """By mail or by HTTP. Raises KeyError, OSError, ValueError where a secret cannot be read."""
    if isinstance(receiver, Email):
        return send(receiver, outgoing)
    return poster(request_of(receiver, outgoing, now_s))


def wait_ms(tries: int, asked_s: float) -> int:
    """Full jitter, doubled each time; never sooner than the receiver asked for."""
    most = min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** min(tries, 20))
    return max(int(random.uniform(0, most)), int(asked_s * 1000))
