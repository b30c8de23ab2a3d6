"""A line of queue_log: `epoch|call id|queue|member|EVENT|parameter|...` -> what it says, or why nothing.

Asterisk escapes nothing. A member's name, the reason of a pause and the text of a withdrawal may hold the
separator, so a line is split by what its event can have: what is too much belongs to the text.
"""

import re

from adapters.app_queue.facts import NONE, SECOND_MS, Fact, decoded
from adapters.kit.outcomes import InvalidInput
from schemas.event_fields import OCCURRED_AT_MAX, OCCURRED_AT_MIN
from schemas.shape import quoted

EPOCH = re.compile(r"\d{9,10}", re.ASCII)
FIELDS = 5  # epoch, call, queue, member, event
NAME_MAX = 256
# The most parameters that apps/app_queue.c writes for an event; the last of them takes what is too much.
PARAMS = {
    "ENTERQUEUE": 4,
    "CONNECT": 3,
    "COMPLETECALLER": 3,
    "COMPLETEAGENT": 3,
    "BLINDTRANSFER": 5,
    "ATTENDEDTRANSFER": 6,
    "TRANSFER": 5,
    "ABANDON": 3,
    "EXITWITHTIMEOUT": 3,
    "EXITEMPTY": 3,
    "EXITWITHKEY": 4,
    "WITHDRAW": 4,
    "RINGNOANSWER": 1,
    "RINGCANCELED": 1,
    "AGENTDUMP": 0,
    "SYSCOMPAT": 0,
    "PAUSE": 1,
    "UNPAUSE": 1,
    "PAUSEALL": 1,
    "UNPAUSEALL": 1,
    "ADDMEMBER": 1,
    "REMOVEMEMBER": 0,
    "AGENTLOGIN": 1,
    "AGENTLOGOFF": 2,
    "AGENTCALLBACKLOGIN": 1,
    "AGENTCALLBACKLOGOFF": 3,
    "PENALTY": 1,
    "RINGINUSE": 1,
    "CONFIGRELOAD": 0,
    "QUEUESTART": 0,
    "OUTCALL": 3,
}


def event_place(cells: list[str]) -> int:
    """Where the event stands: behind the member, whose name may hold separators itself."""
    if cells[FIELDS - 1] in PARAMS:
        return FIELDS - 1
    known = (place for place in range(FIELDS, len(cells)) if cells[place] in PARAMS)
    return next(known, FIELDS - 1)


def parameters(event: str, cells: list[str]) -> tuple[str, ...]:
    """The parameters of an event; one of the dialplan's own keeps all, but for the empty one at its end."""
    most = PARAMS.get(event)
    if most is None:
        return tuple(cells[:-1] if cells and not cells[-1] else cells)
    if len(cells) > most and most:
        cells = [*cells[: most - 1], "|".join(cells[most - 1 :])]
    return tuple(cells[:most])


def parse_line(data: bytes) -> Fact:
    """What a line says. Raises InvalidInput."""
    cells = decoded(data).split("|")
    if len(cells) < FIELDS:
        raise InvalidInput("wrong_columns", f"{len(cells)} fields; a line of queue_log has {FIELDS} or more")
    if not EPOCH.fullmatch(cells[0]):
        raise InvalidInput("bad_time", f"the time is {quoted(cells[0])}, expected seconds since 1970")
    time_ms = int(cells[0]) * SECOND_MS
    if not OCCURRED_AT_MIN <= time_ms < OCCURRED_AT_MAX:
        raise InvalidInput("bad_time", f"the time {quoted(cells[0])} is outside 1990 to 2100")
    place = event_place(cells)
    call, queue, event = cells[1], cells[2], cells[place]
    member = "|".join(cells[3:place])
    if not event or not call:
        raise InvalidInput("no_event", "the call id or the event is empty")
    if max(len(call), len(queue), len(member)) > NAME_MAX:
        raise InvalidInput("too_long", f"call id, queue or member has more than {NAME_MAX} characters")
    return Fact(
        time_ms,
        call,
        "" if queue == NONE else queue,
        "" if member == NONE else member,
        event,
        parameters(event, cells[place + 1 :]),
    )
