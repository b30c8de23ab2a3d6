"""Every KPI that Ringback publishes: id, name, unit, formula, when it is booked, what it means, whose it is.

A window KPI is a quotient of two sums of measures (kpis/tally.py), divided once, when read; a fact KPI has no
additive form and is computed from fact rows. Views, `ringback kpi` and the documentation are made from this.
"""

from dataclasses import dataclass, field
from typing import Literal

Unit = Literal["count", "ms", "ratio"]
Applies = Literal["all", "sync", "async", "not_email"]
Booked = Literal["entered", "handled", "started", "ended", "first resolved", "last resolved"]
Terms = dict[str, int]  # measure -> coefficient


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI. `num` and `den` are sums of measures with coefficients; an empty `den` is 1 (a count).

    `applies` leaves out channels where the KPI means nothing: nobody waits on the line for an e-mail. `fact`
    names the computation of a KPI that is no quotient of sums.
    """

    id: str
    name: str
    unit: Unit
    grain: Literal["leg", "contact"]
    booked: Booked
    definition: str
    source: str
    num: Terms = field(default_factory=dict)
    den: Terms = field(default_factory=dict)
    applies: Applies = "all"
    fact: str = ""


def count(id_: str, name: str, booked: Booked, measure: str, definition: str, source: str, grain: str) -> Kpi:
    """A KPI that is a plain number of legs or contacts."""
    return Kpi(
        id_, name, "count", "leg" if grain == "leg" else "contact", booked, definition, source, {measure: 1}
    )


GENESYS = "Genesys Cloud metric definitions"
AMAZON = "Amazon Connect historical metrics definitions"
SPEC = "Ringback"

VOLUME = (
    count("volume", "Contacts", "started", "contacts", "Contacts that started, any direction.", SPEC, "contact"),
    count("offered", "Offered", "entered", "offered", "Inbound legs that entered a queue.", GENESYS, "leg"),
    count("answered", "Answered", "entered", "answered", "Offered legs that an agent took.", GENESYS, "leg"),
    count("abandoned", "Abandoned", "entered", "abandoned",
          "Offered legs whose customer left before an agent answered.", AMAZON, "leg"),
    count("short_abandoned", "Short abandoned", "entered", "short_abandoned",
          "Abandoned within 5 s: too soon for any agent.", "Twilio Flex SLA metrics", "leg"),
    count("ivr_abandoned", "Abandoned in IVR", "started", "ivr_abandoned",
          "Inbound legs that ended before any queue and any agent.", "Bright Pattern service metrics", "leg"),
    count("flow_out", "Flow-out", "entered", "flow_out",
          "Left the queue without answer or hang-up: callback, voicemail, another queue.", GENESYS, "leg"),
)  # fmt: skip

WAIT = (
    Kpi("asa", "Average speed of answer", "ms", "leg", "entered",
        "Mean wait from queue entry to answer, of answered legs whose wait is known.", AMAZON,
        {"wait_ms": 1}, {"wait_n": 1}, "sync"),
    Kpi("first_response_time", "First response time", "ms", "leg", "entered",
        "Mean time from queue entry to the first human reply, on asynchronous channels.",
        "Zendesk native time duration metrics", {"first_response_ms": 1}, {"first_response_n": 1}, "async"),
    Kpi("queue_time_avg", "Average time in queue", "ms", "leg", "entered",
        "Mean wait of all offered legs whose wait is known, abandoned and flow-outs included.", AMAZON,
        {"queue_ms": 1}, {"queue_n": 1}),
    Kpi("abandon_time_avg", "Average time to abandon", "ms", "leg", "entered",
        "Mean wait of abandoned legs.", AMAZON, {"abandon_wait_ms": 1}, {"abandon_wait_n": 1}, "not_email"),
    Kpi("longest_wait", "Longest wait", "ms", "leg", "entered",
        "Longest wait of any offered leg, however it left the queue.", AMAZON, fact="max(queue_ms)"),
    Kpi("callback_wait", "Callback wait", "ms", "contact", "entered",
        "Mean time from the request of a callback to the answer of the contact that fulfils it.",
        "Bright Pattern virtual queue report", fact="callback"),
)  # fmt: skip

SERVICE_LEVEL = (
    Kpi("service_level", "Service level", "ratio", "leg", "entered",
        "Answered within T of answered and abandoned, short abandons left out (SL3).",
        "Genesys service level without short abandons",
        {"answered_in_target": 1}, {"service_level_n": 1}),
    Kpi("service_level_offered", "Service level of offered", "ratio", "leg", "entered",
        "Answered within T of all offered legs (SL2 where nothing flows out).", GENESYS,
        {"answered_in_target": 1}, {"offered": 1}),
    Kpi("service_level_answered", "Service level of answered", "ratio", "leg", "entered",
        "Answered within T of answered with known wait (SL1); flatters, as abandons do not count.",
        "Call Centre Helper", {"answered_in_target": 1}, {"wait_n": 1}),
    Kpi("service_level_ignore_abandoned", "Service level, quick abandons ignored", "ratio", "leg", "entered",
        "Answered within T of answered and abandoned after T (SL4).", "Cisco UCCE, Bright Pattern",
        {"answered_in_target": 1}, {"wait_n": 1, "abandon_wait_n": 1, "abandoned_in_target": -1}),
    Kpi("service_level_positive_abandoned", "Service level, quick abandons positive", "ratio", "leg", "entered",
        "Answered or abandoned within T of answered and abandoned (SL5).", "Cisco UCCE",
        {"answered_in_target": 1, "abandoned_in_target": 1}, {"wait_n": 1, "abandon_wait_n": 1}),
    Kpi("service_level_short_positive", "Service level, short abandons positive", "ratio", "leg", "entered",
        "Answered within T or abandoned within 5 s of answered and abandoned (SL6).", "Call Centre Helper",
        {"answered_in_target": 1, "short_abandoned": 1}, {"wait_n": 1, "abandon_wait_n": 1}),
)  # fmt: skip

ABANDONMENT = (
    Kpi("abandonment_rate", "Abandonment rate", "ratio", "leg", "entered",
        "Abandoned of offered, short abandons left out of both.", "PressOne call-centre definitions",
        {"abandoned": 1, "short_abandoned": -1}, {"offered": 1, "short_abandoned": -1}, "not_email"),
    Kpi("abandonment_rate_raw", "Abandonment rate, raw", "ratio", "leg", "entered",
        "Abandoned of offered.", GENESYS, {"abandoned": 1}, {"offered": 1}, "not_email"),
    Kpi("ivr_abandonment_rate", "IVR abandonment rate", "ratio", "contact", "started",
        "Contacts that entered by the IVR and were abandoned there.", "Bright Pattern service metrics",
        {"contacts_ivr_abandoned": 1}, {"contacts_ivr": 1}),
)  # fmt: skip

HANDLING = (
    count("handled", "Handled", "handled", "handled",
          "Legs connected to an agent, however they got there, and finished.", AMAZON, "leg"),
    Kpi("aht", "Average handle time", "ms", "leg", "handled",
        "Mean of talk, hold and after-contact work, of handled legs where it is known.", AMAZON,
        {"handle_ms": 1}, {"handle_n": 1}),
    Kpi("handle_time_per_contact", "Handle time per contact", "ms", "contact", "ended",
        "Handle time of all legs of a contact, per handled contact.", AMAZON,
        {"contact_handle_ms": 1}, {"ended_handled": 1}),
    Kpi("talk_time_avg", "Average talk time", "ms", "leg", "handled",
        "Mean conversation without hold, of legs with known handle time.", AMAZON,
        {"talk_ms": 1}, {"handle_n": 1}),
    Kpi("acw_avg", "Average after-contact work", "ms", "leg", "handled",
        "Mean work after the conversation, of legs with known handle time.", AMAZON,
        {"acw_ms": 1}, {"handle_n": 1}),
    Kpi("hold_rate", "Hold rate", "ratio", "leg", "handled",
        "Handled legs with at least one hold.", AMAZON, {"held": 1}, {"handled": 1}, "not_email"),
    Kpi("hold_time_avg", "Average hold time", "ms", "leg", "handled",
        "Hold time per leg that was held.", AMAZON, {"hold_ms": 1}, {"held": 1}, "not_email"),
    Kpi("longest_hold", "Longest hold", "ms", "leg", "handled",
        "Longest single hold.", AMAZON, fact="max(hold_max_ms)"),
    Kpi("transfer_rate", "Transfer rate", "ratio", "leg", "handled",
        "Handled legs that an agent passed on (cold, warm or external).", GENESYS,
        {"transferred_out": 1}, {"handled": 1}),
    Kpi("contacts_transferred_rate", "Contacts transferred", "ratio", "contact", "ended",
        "Handled contacts with at least one transfer by an agent.", SPEC,
        {"ended_transferred": 1}, {"ended_handled": 1}),
)  # fmt: skip

RESOLUTION = (
    Kpi("art", "Average resolution time", "ms", "contact", "last resolved",
        "Mean time from start to last resolution, of contacts that end resolved.",
        "Zendesk full resolution time", {"resolution_ms": 1}, {"resolution_n": 1}),
    Kpi("reopen_rate", "Reopen rate", "ratio", "contact", "first resolved",
        "Contacts reopened of contacts ever resolved.", "Zendesk ticket metrics",
        {"ever_reopened": 1}, {"ever_resolved": 1}),
    Kpi("containment_rate", "Containment rate", "ratio", "contact", "ended",
        "Contacts that a bot ended without any human, of contacts that entered by the bot.",
        "Decagon containment glossary", {"contained": 1}, {"ended_bot": 1}),
)  # fmt: skip

KPIS: dict[str, Kpi] = {
    kpi.id: kpi for kpi in VOLUME + WAIT + SERVICE_LEVEL + ABANDONMENT + HANDLING + RESOLUTION
}  # fmt: skip


def applicable(kpi: Kpi, channel: str, async_channels: tuple[str, ...]) -> bool:
    """Does the KPI mean anything on this channel?"""
    if kpi.applies == "sync":
        return channel not in async_channels
    if kpi.applies == "async":
        return channel in async_channels
    return not (kpi.applies == "not_email" and channel == "email")


def total(terms: Terms, sums: dict[str, int]) -> int:
    """Value of a sum of measures; 1 for the empty denominator of a count."""
    return sum(factor * sums.get(measure, 0) for measure, factor in terms.items()) if terms else 1


def quotient(num: int, den: int) -> float | None:
    """The one division of the whole pipeline; nothing counted gives None, not 0."""
    return num / den if den else None
