"""How long agents were in each state, by quarter-hour: login, pause, and for what reason (docs/facts.md 9).

The last state of an agent is open. It lasts until the moment that is asked about, so these are read at a
moment and not kept.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from kpis.agents.intervals import clipped
from kpis.agents.quarters import quarters_between
from kpis.rules import Rules
from schemas.events import AgentStateChanged
from schemas.time_units import QUARTER_MS

STATE_MEASURES = (
    "login_ms",  # any state but offline
    "available_ms",
    "pause_ms",  # break, training or meeting
    "break_ms",
    "training_ms",
    "meeting_ms",
    "logins",  # states after offline, or after nothing known
    "open_states",
)
PAUSES = ("break", "training", "meeting")


@dataclass(frozen=True, slots=True)
class Stint:
    """A state of an agent from its event to the next, or to the moment that is asked about."""

    agent: str
    team: str
    state: str
    reason: str
    begin: int
    end: int
    logs_in: int
    is_open: int


def stints_of(events: Iterable[AgentStateChanged], as_of: int, rules: Rules) -> Iterator[Stint]:
    """Stints of one agent from state events, each event_id once; without those whose end was lost."""
    visible = (event for event in events if event.occurred_at <= as_of)
    ordered = sorted(visible, key=lambda event: (event.occurred_at, event.event_id))
    longest, before = rules.agent_state_max_ms, None
    for event, after in pairwise([*ordered, None]):
        assert event is not None
        begin, end = event.occurred_at, as_of if after is None else after.occurred_at
        gone = before is None or before.state == "offline" or begin - before.occurred_at > longest
        before = event
        if event.state != "offline" and begin < end <= begin + longest:
            yield Stint(
                event.agent, event.team or "", event.state, event.reason or "", begin, end,
                int(gone), int(after is None),
            )  # fmt: skip


def state_measures(stint: Stint) -> Iterator[tuple[int, dict[str, int]]]:
    """Start of each quarter-hour that a stint meets, and what it adds there."""
    for start in quarters_between(stint.begin, stint.end):
        piece = clipped((stint.begin, stint.end), start, start + QUARTER_MS)
        if piece is not None:
            lasted = piece[1] - piece[0]
            amounts = {"login_ms": lasted, "open_states": stint.is_open}
            if stint.state == "available":
                amounts["available_ms"] = lasted
            if stint.state in PAUSES:
                amounts |= {"pause_ms": lasted, f"{stint.state}_ms": lasted}
            amounts["logins"] = int(stint.logs_in and stint.begin >= start)
            yield start, amounts
