"""What Zendesk's webhooks are; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="zendesk",
    title="Zendesk: tickets and their satisfaction ratings",
    reads="webhook",
    summary="Zendesk's webhooks on event subscriptions; a file holds one event a line.",
    example="ringback import zendesk webhooks.jsonl",
    layout="JSON with type zen:event-type:..., time, event and detail",
    reader="adapters.zendesk.payloads:read_zendesk",
    customers="adapters.zendesk.payloads:customers_of",
    adapter="adapters.zendesk.payloads:ADAPTER",
    signature="zendesk",
    secrets=("RINGBACK_SECRET_ZENDESK",),
    gives=(
        "contact_started",
        "contact_queued",
        "contact_answered",
        "contact_replied",
        "contact_resolved",
        "contact_reopened",
        "contact_closed",
        "contact_surveyed",
        "contact_withdrawn",
    ),
    lacks=(
        "No hold, no talk time, no after-contact work and no abandonment: their KPIs are null or 0 without "
        "meaning.",
        "No agents' states yet: their events are ignored.",
        "A ticket that goes to another group stays in the queue of its first one until it is opened again.",
        "A rating good or bad is 1 or 0 on a scale of 0 to 1: no average beside ratings of 1 to 5.",
    ),
)
