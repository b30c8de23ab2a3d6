"""From which events and settings a KPI comes, and when it is final: what the registry answers."""

import re
from dataclasses import dataclass

from kpis.catalogue.figure import Longest, LongestWaitNow, PeakHour, Quantile, unknown_figure
from kpis.catalogue.kpi import Kpi

QUEUED, ANSWERED, ABANDONED = "contact_queued", "contact_answered", "contact_abandoned"
RESOLVED, TRANSFERRED, WRAPPED = "contact_resolved", "contact_transferred", "contact_wrapped"
STARTED, HELD, RESUMED = "contact_started", "contact_held", "contact_resumed"
Events = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """`needs` are the events without which it has no value, `moved_by` those that can change it as well."""

    needs: Events
    moved_by: Events = ()


REPLIED = "contact_replied"
ENDINGS = (RESOLVED, ABANDONED, TRANSFERRED)
MENDING = ("contact_withdrawn", "contact_linked")
# By name of the measure, the first that fits; what fits none is told by the moment at which it is booked.
BY_MEASURE: tuple[tuple[str, Origin], ...] = (
    (r"contact_(answered|wait_|in_target).*", Origin((QUEUED, ANSWERED), MENDING)),
    (r"contact_(abandon|short_abandoned).*", Origin((QUEUED, ABANDONED), (ANSWERED, *MENDING))),
    (r"contact_service_level_n", Origin((QUEUED, ANSWERED), (ABANDONED, *MENDING))),
    (r"contact_.*(offered|queue_).*", Origin((QUEUED,), (ANSWERED, *ENDINGS, *MENDING))),
    (r"first_response_queued.*|first_response_business.*", Origin((QUEUED, ANSWERED), (REPLIED,))),
    (r"first_response.*", Origin((STARTED, ANSWERED), (REPLIED, QUEUED, "contact_reopened", *ENDINGS))),
    (
        r"repl(y|ies).*|one_touch|customer_wait_ms",
        Origin((STARTED, REPLIED), (ANSWERED, RESOLVED, "contact_reopened")),
    ),
    (r"written.*|resolutions", Origin((ANSWERED, RESOLVED), (REPLIED, *ENDINGS))),
    (r"closed", Origin(("contact_closed",), ("contact_reopened",))),
    (r"answers", Origin((ANSWERED,), (QUEUED, *MENDING))),
    (r"offers_.*|(missed_)?ring_.*", Origin(("contact_offered",), (ANSWERED, QUEUED, *MENDING))),
    (r"offered|waiting", Origin((QUEUED,))),
    (r"(answered|wait_|answers).*", Origin((QUEUED, ANSWERED))),
    (r"(abandon|short_abandoned).*", Origin((QUEUED, ABANDONED))),
    (r"service_level_n", Origin((QUEUED, ANSWERED), (ABANDONED,))),
    (r"flow_out.*", Origin((QUEUED, TRANSFERRED), (RESOLVED,))),
    (r"queue_.*", Origin((QUEUED,), (ANSWERED, *ENDINGS))),
    (r"handled?(_.*)?|talk_.*", Origin((ANSWERED, RESOLVED), (*ENDINGS, HELD, RESUMED, WRAPPED))),
    (r"acw_.*", Origin((ANSWERED, WRAPPED), ENDINGS)),
    (r"hold_.*|held", Origin((ANSWERED, HELD), (RESUMED, *ENDINGS))),
    (r"transferred_out", Origin((ANSWERED, TRANSFERRED))),
    (r"(contacts_)?ivr_abandoned|contacts_ivr_abandoned", Origin((STARTED, ABANDONED))),
    (r"contacts.*", Origin((STARTED,))),
    (r"ever_reopened", Origin((RESOLVED, "contact_reopened"))),
    (r".*resol.*", Origin((STARTED, RESOLVED), ("contact_reopened",))),
)
BY_TABLE = {
    "fcr": Origin((STARTED, ANSWERED, RESOLVED), (QUEUED, ABANDONED, TRANSFERRED, "contact_reopened")),
    "surveys": Origin(("contact_surveyed",), ENDINGS),
    "agents": Origin((ANSWERED, RESOLVED), ("agent_state_changed", WRAPPED, ABANDONED, TRANSFERRED)),
    "states": Origin(("agent_state_changed",)),
    "backlog": Origin((STARTED,), (*ENDINGS, "contact_closed", "contact_reopened", *MENDING)),
    "callbacks": Origin((STARTED, QUEUED, TRANSFERRED), (ANSWERED, ABANDONED, RESOLVED)),
    "live": Origin((QUEUED, ANSWERED), (*ENDINGS, WRAPPED)),
}
BY_BOOKING = {
    "entered": Origin((QUEUED,), (ANSWERED, *ENDINGS)),
    "handled": Origin((ANSWERED, RESOLVED), (*ENDINGS, WRAPPED)),
    "started": Origin((STARTED,)),
    "ended": Origin((RESOLVED,), ENDINGS),
}
FINAL = {
    "entered": "once no leg that entered in the period waits any more, or the stale limit has passed",
    "first entered": "once no contact that entered in the period waits any more",
    "responded": "at once, until an answer is corrected",
    "quarter": "once the contacts and states of the quarter-hour have ended",
    "as_of": "never: it is the state of a moment",
}
# What in [rules] changes it, by name of the measure.
SETTINGS = (
    (r".*in_target.*", "service_level_s"),
    (r"contact_(short_abandoned|service_level_n)", "short_abandon_s"),
    (r".*business.*", "calendars"),
    (r"short_abandoned|service_level_n|live_n", "short_abandon_s"),
)
SETTINGS_BY_TABLE = {
    "fcr": ("fcr", "short_abandon_s"), "surveys": ("survey_late_h",), "agents": ("agent_state_max_h",),
    "states": ("agent_state_max_h",),
    "backlog": ("stale_after_h", "async_channels"),
    "live": ("stale_after_h", "acw_stale_s"),
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
    return found or BY_BOOKING.get(kpi.booked, BY_BOOKING["ended"])


def parts_of(kpi: Kpi) -> list[Origin]:
    """Where each part of it comes from."""
    if kpi.figure is not None:
        return [of_figure(kpi)]
    if kpi.table not in BY_TABLE:
        return [of_measure(name, kpi) for name in (*kpi.num, *kpi.den)]
    # Who is busy is known without states, who is free is not.
    states = kpi.table == "agents" and any("logged" in name or "idle" in name for name in kpi.den)
    return [BY_TABLE[kpi.table], *([Origin(("agent_state_changed",))] if states else [])]


def origin(kpi: Kpi) -> Origin:
    """The events that a KPI comes from."""
    parts = parts_of(kpi)
    needs = tuple(dict.fromkeys(event for part in parts for event in part.needs))
    moved = (event for part in parts for event in part.moved_by if event not in needs)
    return Origin(needs, tuple(dict.fromkeys(moved)))


def settings_of(kpi: Kpi) -> tuple[str, ...]:
    """The rules by which it can be changed, besides those of every wait: `skew_tolerance_s`."""
    names = (*kpi.num, *kpi.den)
    found = [rule for pattern, rule in SETTINGS if any(re.fullmatch(pattern, name) for name in names)]
    channels = () if kpi.applies in ("all", "not_email") else ("async_channels",)
    return tuple(dict.fromkeys((*found, *channels, *SETTINGS_BY_TABLE.get(kpi.table, ()))))


def final_when(kpi: Kpi) -> str:
    """When nothing but a late or corrected event can change it any more."""
    if kpi.table == "fcr":
        lengths = " or ".join(map(str, (kpi.days, *(days for _, days in kpi.dated_days))))
        judged = f"once the {lengths} days after the end of every contact in the period have passed"
        return {"final": f"at once: it counts only contacts whose {lengths} days have passed"}.get(
            kpi.maturity, "at once" if kpi.booked == "started" else judged
        )
    return FINAL.get(kpi.booked, "once the period is over")
