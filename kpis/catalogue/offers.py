"""KPIs of offers to agents: who takes what rings, who does not (docs/facts.md 6)."""

from kpis.catalogue.kpi import AMAZON, GENESYS, SPEC, Kpi, Terms

TAKEN: Terms = {"answers": 1, "offers_beside": 1}
NOT_TAKEN: Terms = {"offers_missed": 1, "offers_refused": 1, "offers_timed_out": 1}
OFFERS = (
    Kpi("offers", "Offers to agents", "count", "leg", "answered",
        "Times that an agent was offered a leg, however that ended; an answered leg is one whether it is told of or not.",
        SPEC, TAKEN | NOT_TAKEN | {"offers_withdrawn": 1}),
    Kpi("offers_answered", "Offers answered", "count", "leg", "answered",
        "Offers that the agent took: answered legs, and answered offers beside queues.", SPEC, TAKEN),
    Kpi("missed_offers", "Missed offers", "count", "leg", "answered",
        "Offers that the agent did not take: missed, refused or timed out. Not those that another agent took, or"
        " whose customer left.", AMAZON, NOT_TAKEN),
    Kpi("missed_offers.no_reaction", "Missed offers, no reaction", "count", "leg", "answered",
        "Offers to which the agent did not react.", GENESYS, {"offers_missed": 1}, variant_of="missed_offers"),
    Kpi("missed_offers.refused", "Missed offers, refused", "count", "leg", "answered",
        "Offers that the agent declined.", SPEC, {"offers_refused": 1}, variant_of="missed_offers"),
    Kpi("missed_offers.timed_out", "Missed offers, timed out", "count", "leg", "answered",
        "Offers that the system gave up.", SPEC, {"offers_timed_out": 1}, variant_of="missed_offers"),
    Kpi("withdrawn_offers", "Withdrawn offers", "count", "leg", "answered",
        "Offers that ended because another agent took the leg or the customer left.", SPEC, {"offers_withdrawn": 1}),
    Kpi("offer_answer_rate", "Answer rate of offers", "ratio", "leg", "answered",
        "Offers that the agent took, of those taken and missed; withdrawn ones in neither.", AMAZON,
        TAKEN, TAKEN | NOT_TAKEN),
    Kpi("ring_time_avg", "Average ring time", "ms", "leg", "answered",
        "Mean time that an offer rang, of offers that say so.", SPEC, {"ring_ms": 1}, {"ring_n": 1}),
    Kpi("ring_time_avg.missed", "Average ring time, missed", "ms", "leg", "answered",
        "Mean time that a missed, refused or timed-out offer rang.", SPEC,
        {"missed_ring_ms": 1}, {"missed_ring_n": 1}, variant_of="ring_time_avg"),
)  # fmt: skip
