"""Replies of a written contact: how many, how soon after the customer wrote, how long the customer waited."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kpis.facts import LegFact
from kpis.rules import Rules
from schemas.events import ContactEvent, ContactReopened, ContactReplied

CUSTOMER, AGENT = 0, 1  # at one instant the customer writes first


class Replies(NamedTuple):
    """What agents' replies come to. Of the first tells first response; `reply_ms` is of those after it."""

    agent_replies: int = 0
    reply_ms: int = 0
    reply_n: int = 0
    customer_wait_ms: int = 0


NO_REPLIES = Replies()


def agent_times(events: Sequence[ContactEvent], legs: Sequence[LegFact], rules: Rules) -> list[int]:
    """When agents wrote. An answer is a reply of its own unless one of the leg is told of at that time."""
    wrote = [(event.leg, event.occurred_at) for event in events if type(event) is ContactReplied]
    answers = [
        leg.answered_at
        for leg in legs
        if leg.answered_at is not None
        and not any(
            number == leg.leg and abs(at - leg.answered_at) <= rules.skew_tolerance_ms for number, at in wrote
        )
    ]
    return [*answers, *(at for _, at in wrote)]


def customer_times(
    events: Sequence[ContactEvent], messages: Iterable[ContactEvent], started_at: int
) -> list[int]:
    """When the customer wrote: the beginning, openings that are not an agent's, messages."""
    opened = [e.occurred_at for e in events if type(e) is ContactReopened and e.by != "agent"]
    return [started_at, *opened, *(message.occurred_at for message in messages)]


def exchange(wrote: Iterable[int], replied: Iterable[int], ended_at: int | None) -> Replies:
    """The customer waits from the first message without a reply to the next reply, or to the end."""
    line = sorted([*((at, CUSTOMER) for at in wrote), *((at, AGENT) for at in replied)])
    replies = reply_ms = reply_n = waited = 0
    since: int | None = None
    for at, who in line:
        if who == CUSTOMER:
            since = at if since is None else since
            continue
        replies += 1
        if since is not None:
            waited += at - since
            if replies > 1:
                reply_ms, reply_n = reply_ms + at - since, reply_n + 1
            since = None
    if since is not None and ended_at is not None:
        waited += max(ended_at - since, 0)
    return Replies(replies, reply_ms, reply_n, waited)
