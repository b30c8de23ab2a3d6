"""From looks to episodes: when an alert is pending, firing and over. Event time alone, a pure function.

inactive -> pending while in breach -> firing once it has lasted -> inactive once clear for long enough; then
the windows restart, so that what has been paged for does not page again. Without contacts timers stand still,
or it is taken to be fine, or to be a breach, as the rule says.
"""

from dataclasses import dataclass, replace
from typing import Literal

State = Literal["inactive", "pending", "firing"]
NoData = Literal["hold", "ok", "alert"]  # what a time without contacts is: nothing known, fine, a breach


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a breach must last and be over, and when an episode without contacts ends; ms."""

    for_ms: int
    keep_firing_for_ms: int
    expire_ms: int = 4 * 3_600_000
    no_data: NoData = "hold"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rule stands for one label set. Times are event time, ms."""

    state: State = "inactive"
    since: int = 0  # of the breach while pending, of the episode while firing
    breached_ms: int = 0  # for how long, while pending
    clear_ms: int = 0  # for how long, while firing
    silent_ms: int = 0  # without contacts, while firing
    restart: int = 0  # nothing before counts


@dataclass(frozen=True, slots=True)
class Step:
    """One evaluation, `step_ms` after the one before. `quiet`: nobody has called lately."""

    at: int
    step_ms: int
    breach: bool
    off_target: bool
    quiet: bool


@dataclass(frozen=True, slots=True)
class Transition:
    """A change that people may be told about."""

    at: int
    to: Literal["pending", "firing", "resolved", "dropped", "expired"]
    opened_at: int  # of the breach
    silent: bool = False  # it came because nobody called, by a rule that takes that for fine or for a breach


def step(standing: Standing, seen: Step, timing: Timing) -> tuple[Standing, Transition | None]:
    """The standing after one evaluation, and the change, if any."""
    if not seen.quiet or timing.no_data == "hold":
        return judged(standing, seen, timing)
    missing = timing.no_data == "alert"
    told = replace(seen, breach=missing, off_target=missing, quiet=False)
    now, changed = judged(standing, told, timing)
    return now, None if changed is None else replace(changed, silent=True)


def judged(standing: Standing, seen: Step, timing: Timing) -> tuple[Standing, Transition | None]:
    """The same, where a time without contacts is that and nothing else."""
    if standing.state == "firing":
        return while_firing(standing, seen, timing)
    if seen.quiet and standing.state == "pending":
        return standing, None
    if not seen.breach:
        if standing.state == "pending":
            return Standing(restart=standing.restart), Transition(seen.at, "dropped", standing.since)
        return standing, None
    if standing.state == "inactive":
        if timing.for_ms == 0:
            return fired(Standing(since=seen.at, restart=standing.restart), seen)
        return Standing("pending", seen.at, restart=standing.restart), Transition(seen.at, "pending", seen.at)
    breached = standing.breached_ms + seen.step_ms
    if breached >= timing.for_ms:
        return fired(standing, seen)
    return replace(standing, breached_ms=breached), None


def fired(standing: Standing, seen: Step) -> tuple[Standing, Transition]:
    """An episode opens."""
    now = Standing("firing", standing.since, restart=standing.restart)
    return now, Transition(seen.at, "firing", standing.since)


def while_firing(standing: Standing, seen: Step, timing: Timing) -> tuple[Standing, Transition | None]:
    """An episode goes on until it was on target for long enough, or nobody calls any more."""
    if seen.quiet:
        silent = standing.silent_ms + seen.step_ms
        if silent >= timing.expire_ms:
            return Standing(restart=seen.at), Transition(seen.at, "expired", standing.since)
        return replace(standing, silent_ms=silent), None
    if seen.off_target:
        return replace(standing, clear_ms=0, silent_ms=0), None
    clear = standing.clear_ms + seen.step_ms
    if clear >= timing.keep_firing_for_ms:
        return Standing(restart=seen.at), Transition(seen.at, "resolved", standing.since)
    return replace(standing, clear_ms=clear, silent_ms=0), None
