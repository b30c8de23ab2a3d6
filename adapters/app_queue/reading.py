"""One line after the other: what it gives, and what need not be remembered any longer."""

from dataclasses import replace

from adapters.app_queue import agents, calls, custom
from adapters.app_queue.facts import Fact
from adapters.app_queue.legs import sent_on
from adapters.app_queue.log import Log
from schemas.events import Event

HANDLERS = calls.HANDLERS | agents.HANDLERS | custom.HANDLERS
OF_AGENTS = frozenset(agents.HANDLERS)
PRUNE_EVERY_MS = 600_000


def read_fact(log: Log, fact: Fact) -> tuple[Event, ...] | str:
    """The events of a line, or by a word why it has none by its nature. Raises InvalidInput."""
    if fact.event in custom.IGNORED:
        return "ignored"
    handler = HANDLERS.get(fact.event)
    if handler is None:
        return "unknown event"
    if fact.event in OF_AGENTS and not fact.member:
        return "no member"
    log.state.last_ms = max(log.state.last_ms, fact.time_ms)
    fact = of_its_call(log, fact)
    try:
        handler(log, fact)
    except BaseException:
        log.take()
        raise
    if call := log.state.calls.get(fact.call):
        call.last_ms = max(call.last_ms, fact.time_ms)
    prune(log)
    return log.take() or "nothing new"


def of_its_call(log: Log, fact: Fact) -> Fact:
    """The line under the id of its call: a call that was passed on behind a Local channel has another."""
    aliases = log.state.aliases
    unknown = fact.call not in aliases and fact.call not in log.state.calls
    if unknown and fact.event in calls.HANDLERS and (of := sent_on(log, fact)):
        aliases[fact.call] = of
    return replace(fact, call=aliases[fact.call]) if fact.call in aliases else fact


def prune(log: Log) -> None:
    """Forget calls that ended long ago, and open ones whose end will not come any more."""
    state, options = log.state, log.options
    if state.last_ms - state.pruned_ms < PRUNE_EVERY_MS:
        return
    state.pruned_ms = state.last_ms
    old = [
        call_id
        for call_id, call in state.calls.items()
        if call.last_ms < state.last_ms - (options.forget_open_ms if call.open else options.forget_ended_ms)
    ]
    for call_id in old:
        del state.calls[call_id]
    state.aliases = {name: call_id for name, call_id in state.aliases.items() if call_id in state.calls}
    state.channels = {name: call_id for name, call_id in state.channels.items() if call_id in state.calls}
