"""What a line about a member makes known of the agent: at work, on a break, gone; and the work after a call.

A member is paused queue by queue, and PAUSEALL is followed by a PAUSE of each queue: an agent is on a break
while all his queues are paused. A pause whose reason means after-contact work is none: its end is the end of
the work on the leg before it.
"""

from collections.abc import Callable

from adapters.app_queue.facts import SECOND_MS, Fact
from adapters.app_queue.log import Log
from adapters.app_queue.state import Agent
from adapters.kit.outcomes import build

EVERY_QUEUE = ""
AUTO_UNPAUSE = "Auto-Unpause"  # written where only the reason of a pause changes
# A pause may be asked for some time after the hanging-up, and it is the same work still.
ACW_BEGINS_WITHIN_MS = 60_000


def agent_of(log: Log, fact: Fact) -> tuple[str, Agent]:
    """The agent whom a line names."""
    name = log.options.name(fact.member)
    return name, log.state.agents.setdefault(name, Agent())


def state_of(agent: Agent, state_of_pause: str) -> str:
    """What the agent does, by all that is known."""
    if agent.logged_in is False or (not agent.queues and not agent.logged_in):
        return "offline"
    return state_of_pause if agent.queues and all(agent.queues.values()) else "available"


def say(log: Log, fact: Fact, name: str, agent: Agent) -> None:
    """Tell the agent's state if it is another now. Of several changes in one second the last one is later."""
    pause = log.options.reasons.get(agent.reason.casefold(), "break")
    state = state_of(agent, pause)
    reason = agent.reason if state == pause else ""
    if agent.said == f"{state} {reason}":
        return
    agent.said = f"{state} {reason}"
    same_second = agent.said_ms // SECOND_MS == fact.time_ms // SECOND_MS
    agent.said_ms = max(agent.said_ms + 1, fact.time_ms) if same_second else fact.time_ms
    fields = {
        "event_id": f"state-{agent.said_ms}",
        "agent": name,
        "state": state,
        "occurred_at": agent.said_ms,
        "source": log.source,
        "revision": log.revision,
        "reason": reason or None,
    }
    log.events.append(build("agent_state_changed", fields))


def wrap(log: Log, fact: Fact, name: str, agent: Agent) -> None:
    """The after-contact work is done."""
    since_ms, agent.acw_since_ms = agent.acw_since_ms, None
    if since_ms is None or agent.last_end_ms is None or not agent.last_call:
        return
    if agent.last_end_ms < since_ms - ACW_BEGINS_WITHIN_MS:
        return
    event_id = f"{agent.last_leg}-wrapped"
    log.tell(agent.last_call, agent.last_leg, event_id, "wrapped", fact.time_ms, agent=name)
    agent.last_call = ""


def pause(log: Log, fact: Fact) -> None:
    """PAUSE|reason, PAUSEALL|reason."""
    name, agent = agent_of(log, fact)
    reason = fact.param(0).strip()
    if reason.casefold() in log.options.acw_reasons:
        agent.acw_since_ms = fact.time_ms if agent.acw_since_ms is None else agent.acw_since_ms
        return
    wrap(log, fact, name, agent)
    agent.reason = reason
    if fact.event == "PAUSEALL":
        agent.queues = dict.fromkeys(agent.queues, True) or {EVERY_QUEUE: True}
    else:
        agent.queues[fact.queue] = True
    say(log, fact, name, agent)


def unpause(log: Log, fact: Fact) -> None:
    """UNPAUSE|reason, UNPAUSEALL|reason."""
    if fact.param(0) == AUTO_UNPAUSE:
        return
    name, agent = agent_of(log, fact)
    worked = agent.acw_since_ms is not None
    wrap(log, fact, name, agent)
    if worked and not agent.said:
        return  # whether he is at work at all was told by no line
    if fact.event == "UNPAUSEALL":
        agent.queues = dict.fromkeys(agent.queues, False) or {EVERY_QUEUE: False}
    else:
        agent.queues[fact.queue] = False
    say(log, fact, name, agent)


def add_member(log: Log, fact: Fact) -> None:
    """ADDMEMBER|PAUSED or nothing: the agent takes calls of a queue from now on."""
    name, agent = agent_of(log, fact)
    agent.queues.pop(EVERY_QUEUE, None)
    agent.queues[fact.queue] = fact.param(0) == "PAUSED"
    say(log, fact, name, agent)


def remove_member(log: Log, fact: Fact) -> None:
    """REMOVEMEMBER: no longer; out of the last queue the agent is gone."""
    name, agent = agent_of(log, fact)
    wrap(log, fact, name, agent)
    agent.queues.pop(fact.queue, None)
    say(log, fact, name, agent)


def log_in(log: Log, fact: Fact) -> None:
    """AGENTLOGIN|channel, AGENTLOGOFF|channel|seconds, of agent pools."""
    name, agent = agent_of(log, fact)
    agent.logged_in = not fact.event.endswith("OFF")
    say(log, fact, name, agent)


HANDLERS: dict[str, Callable[[Log, Fact], None]] = {
    "PAUSE": pause,
    "PAUSEALL": pause,
    "UNPAUSE": unpause,
    "UNPAUSEALL": unpause,
    "ADDMEMBER": add_member,
    "REMOVEMEMBER": remove_member,
    "AGENTLOGIN": log_in,
    "AGENTLOGOFF": log_in,
    "AGENTCALLBACKLOGIN": log_in,
    "AGENTCALLBACKLOGOFF": log_in,
}
