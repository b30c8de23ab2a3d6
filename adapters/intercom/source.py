"""What Intercom's webhooks are; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="intercom",
    title="Intercom: conversations, tickets, ratings",
    reads="webhook",
    summary="Intercom's webhooks, of old and new API versions; a file holds one notification a line.",
    example="ringback import intercom webhooks.jsonl",
    layout="JSON with type notification_event, topic and data.item",
    reader="adapters.intercom.payloads:read_intercom",
    customers="adapters.intercom.payloads:customers_of",
    adapter="adapters.intercom.payloads:ADAPTER",
    signature="hub-sha1",
    challenge="get",
    secrets=("RINGBACK_SECRET_INTERCOM",),
    gives=(
        "contact_started",
        "contact_queued",
        "contact_replied",
        "contact_resolved",
        "contact_reopened",
        "contact_surveyed",
        "contact_withdrawn",
        "agent_state_changed",
    ),
    lacks=(
        "No hold, no talk time, no after-contact work and no abandonment: their KPIs are null or 0 without "
        "meaning.",
        "No transfers between agents: a notification does not say who had it before.",
        "A conversation that goes to another team stays in the queue of its first one until it is opened "
        "again.",
        "Customers who were merged stay two: the notification names only the one who is left.",
        "Queues and agents are the ids of teams and admins.",
    ),
)
