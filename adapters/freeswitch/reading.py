"""One event after the other: calls, agents, and what a restart of FreeSWITCH ends."""

from adapters.freeswitch.calls import HANDLERS, Calls, hold
from adapters.freeswitch.calls import SOURCE as SOURCE
from adapters.freeswitch.fields import Fields, time_ms
from adapters.kit.outcomes import build
from schemas.events import Event

CALLCENTER = "callcenter::info"
STATES = {
    "Available": "available",
    "Available (On Demand)": "available",
    "On Break": "break",
    "Logged Out": "offline",
}
IGNORED = frozenset(
    (
        "members-count",
        "agent-state-change",
        "agent-contact-change",
        "agent-add",
        "agent-del",
        "agent-max-no-answer",
        "agent-state-get",
        "agent-status-get",
    )
)
HOUR_MS = 3_600_000
FORGET_OPEN_MS, FORGET_ENDED_MS = 24 * HOUR_MS, 2 * HOUR_MS


def read_event(calls: Calls, fields: Fields) -> tuple[Event, ...] | str:
    """The events of one event, or by a word why it has none by its nature. Raises InvalidInput."""
    name, action = fields.get("Event-Name", ""), fields.get("CC-Action", "")
    holds = name in ("CHANNEL_HOLD", "CHANNEL_UNHOLD")
    if not holds and fields.get("Event-Subclass") != CALLCENTER:
        return "not of the call centre"
    at_ms = time_ms(fields)
    try:
        restarted(calls, fields, at_ms)
        if holds:
            hold(calls, fields)
        elif action == "agent-status-change":
            agent_status(calls, fields, at_ms)
        elif action in HANDLERS:
            HANDLERS[action](calls, fields)
        else:
            return calls.take() or ("ignored" if action in IGNORED else "unknown event")
    except BaseException:
        calls.take()
        raise
    prune(calls, at_ms)
    return calls.take() or "nothing new"


def agent_status(calls: Calls, fields: Fields, at_ms: int) -> None:
    """agent-status-change: the agent himself, or his supervisor, has set it."""
    agent, state = fields.get("CC-Agent", ""), STATES.get(fields.get("CC-Agent-Status", ""))
    if not agent or state is None or calls.state.said.get(agent) == state:
        return
    calls.state.said[agent] = state
    told = {
        "event_id": f"state-{at_ms}",
        "agent": agent,
        "state": state,
        "occurred_at": at_ms,
        "source": SOURCE,
    }
    calls.events.append(build("agent_state_changed", told))


def restarted(calls: Calls, fields: Fields, at_ms: int) -> None:
    """Another Core-UUID of the same host: it was started anew, and no call of before is there any more."""
    host, core = fields.get("FreeSWITCH-Hostname", ""), fields.get("Core-UUID", "")
    before = calls.state.cores.get(host)
    if not core or before == core:
        return
    calls.state.cores[host] = core
    if before is None:
        return
    for session_id, session in calls.state.sessions.items():
        for leg in session.legs.values():
            if leg.ended or leg.host != host or leg.entered_ms is None:
                continue
            leg.ended = True
            name = f"{leg.number}-end"
            if leg.bridged_ms is None:
                told = {"place": "queue", "by": "system"}
                calls.tell(session_id, leg.number, name, "abandoned", at_ms, **told)
            else:
                calls.tell(session_id, leg.number, name, "resolved", at_ms, by="system")


def prune(calls: Calls, at_ms: int) -> None:
    """Forget sessions that ended long ago, and open ones whose end will not come any more."""
    state = calls.state
    state.last_ms = max(state.last_ms, at_ms)
    if state.last_ms - state.pruned_ms < HOUR_MS // 6:
        return
    state.pruned_ms = state.last_ms
    for session_id, session in [*state.sessions.items()]:
        if session.last_ms < state.last_ms - (FORGET_OPEN_MS if session.open else FORGET_ENDED_MS):
            del state.sessions[session_id]
    state.members = {key: value for key, value in state.members.items() if value in state.sessions}
    state.agents = {key: value for key, value in state.agents.items() if value[0] in state.sessions}
