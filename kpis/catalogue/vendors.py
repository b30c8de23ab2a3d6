"""What products call the number that a KPI is: id -> (product, its name). Only what their documents say.

Apart from the moment at which a product books it. A KPI that is equal to a product's number only by other
settings, or with other contacts, is not in here.
"""

# Of the waits that are counted by length, those that Amazon Connect has ready.
AMAZON_LIMITS_S = (15, 20, 30, 45, 60, 90, 120, 180, 300)
SAME_AS: dict[str, tuple[tuple[str, str], ...]] = {
    "offered": (("Genesys Cloud", "Offered"), ("Amazon Connect", "Contacts queued")),
    "answered.activity": (("Genesys Cloud", "Answered"),),
    "abandoned": (("Amazon Connect", "Contacts abandoned"),),
    "abandoned.activity": (("Genesys Cloud", "Abandoned"),),
    "asa": (("Amazon Connect", "Average queue answer time"),),
    "abandon_time_avg": (("Amazon Connect", "Average queue abandon time"),),
    "longest_wait": (("Amazon Connect", "Maximum queued time"),),
    "longest_wait_now": (("Amazon Connect", "Oldest"),),
    "handled": (("Amazon Connect", "Contacts handled"), ("Genesys Cloud", "Handle")),
    "aht": (("Amazon Connect", "Average handle time"),),
    "acw_avg": (("Amazon Connect", "Average after contact work time"),),
    "hold_time_avg": (("Amazon Connect", "Average customer hold time"),),
    "abandonment_rate_raw": (("Genesys Cloud", "Abandon %"), ("Amazon Connect", "Abandonment rate")),
    "service_level": (("Genesys Cloud", "Service Level %, without short abandons"), ("Twilio Flex", "SLA")),
    "service_level.genesys": (("Genesys Cloud", "Service Level %"),),
    "service_level.amazon": (("Amazon Connect", "Service level X"),),
    "service_level.cisco_positive": (("Cisco UCCE", "Service Level, abandons positive"),),
    "service_level.cisco_negative": (("Cisco UCCE", "Service Level, abandons negative"),),
    "service_level.cisco_ignore": (("Cisco UCCE", "Service Level, abandons ignored"),),
    "occupancy": (("Amazon Connect", "Occupancy"),),
    "first_response_time.zendesk": (("Zendesk", "First reply time"), ("Zoho Desk", "First response time")),
    "one_touch_rate": (("Zendesk", "One-touch tickets"),),
    "callback_wait": (("Bright Pattern", "Average wait time to callback"),),
    **{
        f"{measure}.within_{limit}s": (("Amazon Connect", f"Contacts {measure} in {limit} seconds"),)
        for measure in ("answered", "abandoned")
        for limit in AMAZON_LIMITS_S
    },
    "nps": (("Bain", "Net Promoter Score"),),
}
