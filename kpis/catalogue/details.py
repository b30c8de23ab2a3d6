"""What in events a KPI needs beyond their types: a kind of survey, an entry by the IVR, a call that calls back.

A source that tells of transfers may know none of kind callback, so types alone do not say which KPIs it has.
"""

import re

from kpis.catalogue.kpi import Kpi

# Type of event, field, value; without a value any but none.
Detail = tuple[str, str, str]
BOT, IVR = ("contact_started", "entry", "bot"), ("contact_started", "entry", "ivr")
ASKED = ("contact_transferred", "kind", "callback")
CALLED = ("contact_started", "callback_of", "")
CUSTOMER = ("contact_started", "customer_key", "")
BY_MEASURE: tuple[tuple[str, tuple[Detail, ...]], ...] = (
    (r"contained|ended_bot", (BOT,)),
    (r"contacts_ivr.*", (IVR,)),
    (r"callbacks_requested", (ASKED,)),
    (r"callback(s|_attempts).*|(attempt|answer)_wait_.*", (ASKED, CALLED)),
    (r"ended_known|anchors.*|failed.*|repeat.*|candidates|one_stop|episodes|one_and_done", (CUSTOMER,)),
    (r"csat_.*", (("contact_surveyed", "kind", "csat"),)),
    (r"nps_.*", (("contact_surveyed", "kind", "nps"),)),
    (r"ces_.*", (("contact_surveyed", "kind", "ces"),)),
    (r"aes_.*", (("contact_surveyed", "respondent", "agent"),)),
    (r"survey_fcr_.*", (("contact_surveyed", "kind", "fcr"),)),
    *(
        (f"rejected_{cause}", (("contact_rejected", "cause", cause),))
        for cause in ("closed", "full", "empty", "blocked")
    ),
)
# Of KPIs that are told apart by one outcome; those of several need any of them.
BY_KPI: dict[str, Detail] = {
    "missed_offers.no_reaction": ("contact_offered", "outcome", "missed"),
    "missed_offers.refused": ("contact_offered", "outcome", "refused"),
    "missed_offers.timed_out": ("contact_offered", "outcome", "timed_out"),
    "withdrawn_offers": ("contact_offered", "outcome", "withdrawn"),
}


def details_of(kpi: Kpi) -> tuple[Detail, ...]:
    """What must be in its events for the KPI to have a value."""
    found = [
        detail
        for name in (*kpi.num, *kpi.den)
        for detail in next((own for pattern, own in BY_MEASURE if re.fullmatch(pattern, name)), ())
    ]
    return tuple(dict.fromkeys([*found, *([BY_KPI[kpi.id]] if kpi.id in BY_KPI else [])]))
