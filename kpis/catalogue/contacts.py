"""KPIs of queues per contact: one that was in three queues counts once (docs/facts.md 6)."""

from kpis.catalogue.kpi import SPEC, Kpi

LIVEOPS = "Liveops, TrackHS: calls abandoned"
CONTACTS = (
    Kpi("offered.contact", "Offered, per contact", "count", "contact", "first entered",
        "Inbound contacts that entered any queue.", SPEC, {"contact_offered": 1}, variant_of="offered"),
    Kpi("answered.contact", "Answered, per contact", "count", "contact", "first entered",
        "Offered contacts that an agent took, in whatever queue.", LIVEOPS, {"contact_answered": 1},
        variant_of="answered"),
    Kpi("abandoned.contact", "Abandoned, per contact", "count", "contact", "first entered",
        "Offered contacts whose customer left without any agent ever having had them.", LIVEOPS,
        {"contact_abandoned": 1}, variant_of="abandoned"),
    Kpi("abandonment_rate.contact", "Abandonment rate, per contact", "ratio", "contact", "first entered",
        "Abandoned of offered contacts, short abandons left out of both.", LIVEOPS,
        {"contact_abandoned": 1, "contact_short_abandoned": -1},
        {"contact_offered": 1, "contact_short_abandoned": -1}, "not_email", variant_of="abandonment_rate"),
    Kpi("abandonment_rate_raw.contact", "Abandonment rate, raw, per contact", "ratio", "contact",
        "first entered", "Abandoned of offered contacts.", LIVEOPS,
        {"contact_abandoned": 1}, {"contact_offered": 1}, "not_email", variant_of="abandonment_rate_raw"),
    Kpi("service_level.contact", "Service level, per contact", "ratio", "contact", "first entered",
        "Answered within T of the first queue, of answered and abandoned contacts without short abandons; the wait"
        " is that in all queues until the first agent.", SPEC,
        {"contact_in_target": 1}, {"contact_service_level_n": 1}, variant_of="service_level"),
    Kpi("asa.contact", "Average speed of answer, per contact", "ms", "contact", "first entered",
        "Mean wait in all queues until the first agent, of answered contacts.", SPEC,
        {"contact_wait_ms": 1}, {"contact_wait_n": 1}, "sync", variant_of="asa"),
    Kpi("abandon_time_avg.contact", "Average time to abandon, per contact", "ms", "contact", "first entered",
        "Mean wait in all queues of abandoned contacts.", SPEC,
        {"contact_abandon_wait_ms": 1}, {"contact_abandon_wait_n": 1}, "not_email",
        variant_of="abandon_time_avg"),
    Kpi("queue_time_avg.contact", "Average time in queue, per contact", "ms", "contact", "first entered",
        "Mean time in all queues of offered contacts, that after a transfer included.",
        "QueueMetrics multi-stint calls",
        {"contact_queue_ms": 1}, {"contact_queue_n": 1}, variant_of="queue_time_avg"),
)  # fmt: skip
