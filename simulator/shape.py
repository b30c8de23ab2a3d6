"""What a simulated contact centre looks like: its queues, and how contacts behave in each of them."""

import math
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Literal

from schemas.time_units import HOUR_MS, SECOND_MS
from simulator.season import FLAT, Season


@lru_cache
def lognormal(mean: float, cv: float) -> tuple[float, float]:
    """Mu and sigma of the lognormal distribution with this mean and coefficient of variation."""
    variance = math.log1p(cv**2)
    return math.log(mean) - variance / 2, math.sqrt(variance)


@dataclass(frozen=True, slots=True)
class Duration:
    """A random time. Exponential without `cv`, else lognormal with this coefficient of variation."""

    mean_ms: int
    cv: float | None = None

    def draw(self, rng: Random) -> int:
        """One such time in whole milliseconds."""
        if self.cv is None:
            return round(rng.expovariate(1 / self.mean_ms))
        return round(rng.lognormvariate(*lognormal(self.mean_ms, self.cv)))


@dataclass(frozen=True, slots=True)
class Before:
    """What comes before the queue: an IVR, a bot or nothing. Shares are of all contacts that arrive."""

    entry: Literal["direct", "ivr", "bot"] = "direct"
    time: Duration | None = None
    lost: float = 0.0  # hang up in the IVR or leave the bot
    contained: float = 0.0  # the bot solves it


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long customers wait and where they go instead. Without patience they wait for ever."""

    patience: Duration | None = None
    overflow_to: str = ""
    overflow_after_ms: int = 0
    callback: float = 0.0  # share that takes a callback once it is offered
    voicemail: float = 0.0
    offer_after_ms: int = 60 * SECOND_MS


@dataclass(frozen=True, slots=True)
class Handling:
    """What the agent does. Shares are of the legs that an agent took."""

    talk: Duration
    after_work: Duration | None = None
    held: float = 0.0
    hold: Duration = Duration(45 * SECOND_MS, 1.0)
    hold_hang_up: float = 0.0  # share of holds that the customer does not sit through
    cold: float = 0.0
    warm: float = 0.0
    external: float = 0.0
    transfer_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What follows a contact that an agent ended."""

    unresolved: float = 0.0
    reopened: float = 0.0
    reopen_after: Duration = Duration(20 * HOUR_MS)
    repeated: float = 0.0  # the customer comes again with a new contact
    repeat_after: Duration = Duration(30 * HOUR_MS)
    surveyed: float = 0.0


@dataclass(frozen=True, slots=True)
class Away:
    """A time at which only a share of a queue's agents is there: what service levels dip by. UTC ms."""

    from_ms: int
    to_ms: int
    present: float


@dataclass(frozen=True, slots=True)
class QueueShape:
    """A queue with agents of its own. `per_hour` and `agents` are those of the busiest hour of the week."""

    name: str
    channel: str
    per_hour: float
    agents: int
    handling: Handling
    before: Before = Before()
    waiting: Waiting = Waiting()
    afterwards: Afterwards = Afterwards()
    outbound_per_hour: float = 0.0
    away: tuple[Away, ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The limits that the truth is counted with: the default rules of the KPIs (kpis/rules.py).

    They do not follow settings: the truth of a run is to be compared with KPIs by the default rules only.
    """

    short_abandon_ms: int = 5 * SECOND_MS
    target_ms: int = 20 * SECOND_MS
    target_by_channel_ms: tuple[tuple[str, int], ...] = (
        ("chat", 60 * SECOND_MS),
        ("email", 4 * HOUR_MS),
        ("messaging", 4 * HOUR_MS),
    )


@dataclass(frozen=True, slots=True)
class Shape:
    """A whole contact centre."""

    queues: tuple[QueueShape, ...]
    season: Season = FLAT
    thresholds: Thresholds = Thresholds()
    customers: int = 50_000
