"""Who hears of an alert, and with which others: labels to receivers and their grouping. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from alerts.matchers import all_match, with_name
from alerts.receivers import Grouped, Receiver
from alerts.route import (
    DEFAULT_GROUP_BY,
    DEFAULT_INTERVAL_MS,
    DEFAULT_REPEAT_MS,
    DEFAULT_WAIT_MS,
    EACH,
    Route,
)
from alerts.time_intervals import Intervals, hold

INHERITED = ("receiver", "group_by", "group_wait", "group_interval", "repeat_interval")


@dataclass(frozen=True, slots=True)
class Step:
    """A route with all that it has from those above it. Times are ms; `path` is where it stands."""

    receiver: str
    path: tuple[int, ...] = ()
    group_by: tuple[str, ...] = DEFAULT_GROUP_BY
    group_wait: int = DEFAULT_WAIT_MS
    group_interval: int = DEFAULT_INTERVAL_MS
    repeat_interval: int = DEFAULT_REPEAT_MS
    muted_in: tuple[str, ...] = ()  # names of times
    active_in: tuple[str, ...] = ()

    def is_muted(self, intervals: Intervals, now: int) -> bool:
        """Is it a time at which nobody is told by this route?"""
        return hold(intervals, self.muted_in, now) or (
            bool(self.active_in) and not hold(intervals, self.active_in, now)
        )


@dataclass(frozen=True, slots=True)
class Way:
    """How a receiver hears of an alert: alone where `group_by` is None. Times are ms; `route` says which."""

    receiver: Receiver
    group_by: tuple[str, ...] | None = None
    group_wait: int = 0
    group_interval: int = 0
    repeat_interval: int | None = None
    route: str = ""


def below(route: Route, above: Step, *index: int) -> Step:
    """A route as it is, what it does not say taken from the one above."""
    said: dict[str, Any] = {name: value for name in INHERITED if (value := getattr(route, name)) is not None}
    said |= {"muted_in": route.mute_time_intervals, "active_in": route.active_time_intervals}
    return replace(above, path=(*above.path, *index), **said)


def matched(route: Route, labels: Mapping[str, str], at: Step | None = None) -> list[Step]:
    """The routes that an alert takes: the deepest ones, of brothers the first, unless it says `continue`."""
    at = below(route, Step("")) if at is None else at
    if not all_match(route.matchers, labels):
        return []
    found: list[Step] = []
    for index, child in enumerate(route.routes):
        own = matched(child, labels, below(child, at, index))
        found += own
        if own and not child.continue_:
            break
    return found or [at]


def ways(receivers: Iterable[Receiver], route: Route | None, body: Mapping[str, Any]) -> list[Way]:
    """Who hears of an alert that fires; whom two routes lead to, once, as the first of them says."""
    if route is None:
        return [own_way(receiver) for receiver in receivers if receiver.wants(body["labels"])]
    first: dict[str, Step] = {}
    for step in matched(route, with_name(body)):
        first.setdefault(step.receiver, step)
    known = {receiver.name: receiver for receiver in receivers}
    return [routed(known[name], step) for name, step in first.items() if name in known]


def way_to(receiver: Receiver, route: Route | None, body: Mapping[str, Any]) -> Way:
    """How a receiver is told what follows on a beginning that it heard of, whatever the file says by now."""
    if route is None:
        return own_way(receiver)
    return next(iter(ways([receiver], route, body)), Way(receiver))


def is_muted_for(
    receiver: Receiver, route: Route | None, intervals: Intervals, body: Mapping[str, Any], now: int
) -> bool:
    """Is it a time at which no route tells a receiver of it? Of several alerts: of none of them."""
    if route is None or not intervals:
        return False
    for about in body.get("alerts") or (body,):
        steps = [step for step in matched(route, with_name(about)) if step.receiver == receiver.name]
        if not steps or any(not step.is_muted(intervals, now) for step in steps):
            return False
    return True


def own_way(receiver: Receiver) -> Way:
    """As a receiver itself says."""
    if not isinstance(receiver, Grouped):
        return Way(receiver)
    times = receiver.group_wait, receiver.group_interval, receiver.repeat_interval
    return Way(receiver, receiver.group_by, *times)


def routed(receiver: Receiver, step: Step) -> Way:
    """As a route says; receivers of incidents group by themselves."""
    if not isinstance(receiver, Grouped):
        return Way(receiver)
    group_by = None if step.group_by == (EACH,) else step.group_by
    times = step.group_wait, step.group_interval, step.repeat_interval
    return Way(receiver, group_by, *times, route="/".join(map(str, ("", *step.path))))
