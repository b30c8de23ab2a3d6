"""SQL behind `ringback wallboard`. Parameters: those of the rules, as_of_ms (Int64), and what each names."""

from collections.abc import Iterable

from sql.bookings import live, near_legs
from sql.templates import fill


def summed(measures: Iterable[str]) -> str:
    """A map of the sums of measures, by their names."""
    pairs = (f"'{name}', toInt64(sum({name}))" for name in measures)
    return f"map({', '.join(pairs)})"


def recent() -> str:
    """What each leg is at {as_of_ms}, of legs that are open or entered since {recent_ms}."""
    return live(near_legs(of_ms("{recent_ms:Int64}"), of_ms("{as_of_ms:Int64}"), "{acw_stale_ms:Int64}"))


def of_ms(milliseconds: str) -> str:
    """A moment."""
    return f"fromUnixTimestamp64Milli({milliseconds}, 'UTC')"


def now(measures: Iterable[str]) -> str:
    """part, channel, queue, sums: the state of each queue, and its windows of the day."""
    return fill("wallboard", "now", live=recent(), day_sums=summed(measures))


def course(measures: Iterable[str]) -> str:
    """queue, channel, at_ms, sums by quarter-hour, within {from_ms} to {to_ms}."""
    return fill("wallboard", "course", sums=summed(measures))


def agents() -> str:
    """agent, team, state, since_ms."""
    return fill("wallboard", "agents")


def busy() -> str:
    """agent, queue, talks: who has a contact in hand or wraps one up."""
    return fill("wallboard", "busy", live=recent())


def freshness() -> str:
    """part, name, beat_ms, event_ms, 0 for never."""
    return fill("wallboard", "freshness")


def agent_legs() -> str:
    """The last legs of {agent}."""
    return fill("wallboard", "agent_legs")


def queue_agents() -> str:
    """agent, team, legs_n, handled_ms, handle_n, last_ms of who handled legs of {queue} since {since_ms}."""
    return fill("wallboard", "queue_agents")
