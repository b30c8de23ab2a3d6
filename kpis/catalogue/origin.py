"""From which events and settings a KPI comes, and when it is final: what the registry answers."""

import re
from dataclasses import dataclass

from kpis.catalogue.figure import Longest, LongestWaitNow, PeakHour, Quantile, unknown_figure
from kpis.catalogue.kpi import Kpi

QUEUED, ANSWERED, ABANDONED = "contact_queued", "contact_answered", "contact_abandoned"
RESOLVED, TRANSFERRED, WRAPPED = "contact_resolved", "contact_transferred", "contact_wrapped"
STARTED, HELD, RESUMED = "contact_started", "contact_held", "contact_resumed"
REPLIED, REJECTED, REOPENED = "contact_replied", "contact_rejected", "contact_reopened"
WITHDRAWN, LINKED, STATE = "contact_withdrawn", "contact_linked", "agent_state_changed"
Events = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """`needs` are the events without which it has no value, `moved_by` those that can change it as well."""

    needs: Events
    moved_by: Events = ()


ENDINGS = (RESOLVED, ABANDONED, TRANSFERRED, REJECTED)
# An agent's reply is an answer; the others show an agent where the answer was lost.
TAKEN = (REPLIED, HELD, RESUMED, WRAPPED, *ENDINGS)
# A contact that has ended goes on with a further leg, and ends anew.
GOES_ON = (REOPENED, QUEUED, ANSWERED, REPLIED, *ENDINGS)
# By name of the measure, the first that fits; what fits none is told by the moment at which it is booked.
BY_MEASURE: tuple[tuple[str, Origin], ...] = (
    (r"contact_(answered|wait_|in_target).*", Origin((QUEUED, ANSWERED), TAKEN)),
    (r"contact_(abandon|short_abandoned).*", Origin((QUEUED, ABANDONED), (ANSWERED, *TAKEN))),
    (r"contact_service_level_n", Origin((QUEUED, ANSWERED), TAKEN)),
    (r"contact_offered", Origin((QUEUED,))),
    (r"contact_queue_.*", Origin((QUEUED,), (ANSWERED, *TAKEN))),
    (r"first_response_queued.*|first_response_business.*", Origin((QUEUED, ANSWERED), TAKEN)),
    (r"first_response.*", Origin((STARTED, ANSWERED), (REOPENED, QUEUED, *TAKEN))),
    (r"repl(y|ies).*|one_touch|customer_wait_ms", Origin((STARTED, REPLIED), (*GOES_ON, *TAKEN))),
    (r"written.*", Origin((ANSWERED, RESOLVED), (*GOES_ON, *TAKEN))),
    (r"resolutions", Origin((ANSWERED, RESOLVED), TAKEN)),
    (r"closed", Origin(("contact_closed",), (REOPENED,))),
    (r"answers", Origin((QUEUED, ANSWERED), (REPLIED, *ENDINGS))),
    (r"offers_beside", Origin(("contact_offered",), (ANSWERED, QUEUED, *TAKEN))),
    (r"offers_.*|(missed_)?ring_.*", Origin(("contact_offered",))),
    (r"offered", Origin((QUEUED,))),
    (r"(answered|wait_).*", Origin((QUEUED, ANSWERED), TAKEN)),
    (r"(abandon|short_abandoned).*", Origin((QUEUED, ABANDONED), (ANSWERED, *TAKEN))),
    (r"service_level_n", Origin((QUEUED, ANSWERED), TAKEN)),
    (r"flow_out.*", Origin((QUEUED, TRANSFERRED), (ANSWERED, *TAKEN))),
    (r"queue_.*", Origin((QUEUED,), (ANSWERED, *TAKEN))),
    (r"handled?(_.*)?|talk_.*", Origin((ANSWERED, RESOLVED), TAKEN)),
    (r"acw_.*", Origin((ANSWERED, WRAPPED), TAKEN)),
    (r"hold_.*|held", Origin((ANSWERED, HELD), TAKEN)),
    (r"transferred_out", Origin((ANSWERED, TRANSFERRED), TAKEN)),
    (r"(contacts_)?ivr_abandoned", Origin((STARTED, ABANDONED), (QUEUED, ANSWERED, *TAKEN))),
    (r"rejected.*", Origin((REJECTED,), (QUEUED, ANSWERED, *TAKEN))),
    (r"contacts.*", Origin((STARTED,))),
    (r"ended_bot|contained", Origin((STARTED, RESOLVED), GOES_ON)),
    (r"ended_(judgeable|known)", Origin((STARTED, ANSWERED, RESOLVED), (*GOES_ON, *TAKEN))),
    (r"ever_reopened", Origin((RESOLVED, REOPENED), GOES_ON)),
    (r"first_resol.*|ever_resolved", Origin((STARTED, RESOLVED), (QUEUED, ANSWERED, *TAKEN))),
    (r"resolution_.*", Origin((STARTED, RESOLVED), GOES_ON)),
)
BY_TABLE = {
    "fcr": Origin((STARTED, ANSWERED, RESOLVED), (*GOES_ON, *TAKEN, LINKED)),
    "surveys": Origin(("contact_surveyed",), GOES_ON),
    "agents": Origin((ANSWERED, RESOLVED), (STATE, REPLIED, WRAPPED, *ENDINGS)),
    "states": Origin((STATE,)),
    "backlog": Origin((STARTED,), ("contact_closed", *GOES_ON, HELD, RESUMED, WRAPPED, LINKED)),
    "callbacks": Origin((STARTED, QUEUED, TRANSFERRED), (ANSWERED, *TAKEN)),
    "live": Origin((QUEUED, ANSWERED), TAKEN),
}
BY_BOOKING = {
    "started": Origin((STARTED,)),
    "ended": Origin((ANSWERED, RESOLVED), (*GOES_ON, *TAKEN)),
}
# An agent's inquiry is no contact of its own as soon as a link says so.
OF_CONTACTS = ("started", "first entered", "ended", "closed", "first resolved", "last resolved")
FINAL = {
    "entered": "once no leg that entered in the period waits any more, or the stale limit has passed",
    "first entered": "once no contact that entered in the period waits any more",
    "handled": "once the after-contact work of what ended in the period is done",
    "quarter": "once the contacts and states of the quarter-hour have ended",
    "as_of": "never: it is the state of a moment",
}
# What in [rules] changes it, by name of the measure.
SETTINGS = (
    (r".*in_target.*", ("service_level_s",)),
    (r"contact_(short_abandoned|service_level_n)", ("short_abandon_s",)),
    (r".*business.*", ("calendars",)),
    (r"short_abandoned|service_level_n|live_n", ("short_abandon_s",)),
    (r"live_n", ("service_level_s",)),
    (r"logged.*|idle_ms", ("agent_state_max_h",)),
    (r"(waiting|active)_now|live_.*", ("stale_after_h", "stale_after_async_h", "async_channels")),
    (r"acw_now", ("acw_stale_s", "async_channels")),
    (r"ever_reopened|failed.*|one_stop|one_and_done", ("async_channels",)),
)
SETTINGS_BY_TABLE = {
    "fcr": ("fcr", "short_abandon_s"), "surveys": ("survey_late_h",),
    "agents": ("stale_after_h", "async_channels"), "states": ("agent_state_max_h",),
    "backlog": ("stale_after_h", "async_channels"),
}  # fmt: skip


def of_figure(kpi: Kpi) -> Origin:
    """Of a KPI that is no quotient of sums."""
    match kpi.figure:
        case Quantile(duration) | Longest(duration):
            name = duration
        case PeakHour():
            return Origin((STARTED,))
        case LongestWaitNow():
            return BY_TABLE["live"]
        case other:
            raise unknown_figure(other, "kpis/catalogue/origin.py")
    return of_measure(name, kpi)


def of_measure(name: str, kpi: Kpi) -> Origin:
    """Of a measure of the KPI."""
    found = next((origin for pattern, origin in BY_MEASURE if re.fullmatch(pattern, name)), None)
    return found or BY_BOOKING[kpi.booked]


def parts_of(kpi: Kpi) -> list[Origin]:
    """Where each part of it comes from."""
    if kpi.figure is not None:
        return [of_figure(kpi)]
    if kpi.table not in BY_TABLE:
        return [of_measure(name, kpi) for name in (*kpi.num, *kpi.den)]
    # Who is busy is known without states, who is free is not.
    states = kpi.table == "agents" and any("logged" in name or "idle" in name for name in kpi.den)
    return [BY_TABLE[kpi.table], *([Origin((STATE,))] if states else [])]


def mending(kpi: Kpi) -> Events:
    """What takes away later what was counted."""
    linked = (LINKED,) if kpi.table == "windows" and kpi.booked in OF_CONTACTS else ()
    return () if kpi.table == "states" else (*linked, WITHDRAWN)


def origin(kpi: Kpi) -> Origin:
    """The events that a KPI comes from."""
    parts = parts_of(kpi)
    needs = tuple(dict.fromkeys(event for part in parts for event in part.needs))
    moved = [event for part in parts for event in part.moved_by] + [*mending(kpi)]
    return Origin(needs, tuple(dict.fromkeys(event for event in moved if event not in needs)))


def settings_of(kpi: Kpi) -> tuple[str, ...]:
    """The rules by which it can be changed, besides those of every wait: `skew_tolerance_s`."""
    names = ("waiting_now",) if isinstance(kpi.figure, LongestWaitNow) else (*kpi.num, *kpi.den)
    found = [
        rule
        for pattern, rules in SETTINGS
        if any(re.fullmatch(pattern, name) for name in names)
        for rule in rules
    ]
    channels = () if kpi.applies in ("all", "not_email") else ("async_channels",)
    return tuple(dict.fromkeys((*found, *channels, *SETTINGS_BY_TABLE.get(kpi.table, ()))))


def final_when(kpi: Kpi) -> str:
    """When nothing but a late, corrected or withdrawn event can change it any more."""
    if kpi.table == "fcr":
        lengths = " or ".join(map(str, (kpi.days, *(days for _, days in kpi.dated_days))))
        judged = f"once the {lengths} days after the end of every contact in the period have passed"
        when = {"final": f"at once: it counts only contacts whose {lengths} days have passed"}.get(
            kpi.maturity, "at once" if kpi.booked == "started" else judged
        )
    elif kpi.table == "callbacks" and kpi.num != {"callbacks_requested": 1}:
        when = "once every request of the period has been answered: each further call counts"
    elif kpi.table == "surveys" and kpi.booked == "ended":
        when = "once answers to contacts of the period come too late (`survey_late_h`)"
    elif kpi.table == "states":
        when = "once the states that reach into the period have ended"
    else:
        when = FINAL.get(kpi.booked, "once the period is over")
    found = origin(kpi)
    reopened = kpi.booked not in ("as_of", "entered", "handled") and REOPENED in (
        *found.needs,
        *found.moved_by,
    )
    return f"{when}, unless a contact is opened again" if reopened else when
