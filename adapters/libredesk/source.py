"""What Libredesk's webhooks are; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="libredesk",
    title="Libredesk: conversations by e-mail and chat",
    reads="webhook",
    summary="Libredesk's webhooks, as the gateway takes them; a file holds one payload a line.",
    example="ringback import libredesk webhooks.jsonl",
    layout="JSON with event, timestamp and payload; conversations and messages",
    reader="adapters.libredesk.payloads:read_libredesk",
    customers="adapters.libredesk.payloads:customers_of",
    adapter="adapters.libredesk.payloads:ADAPTER",
    signature="libredesk",
    secrets=("RINGBACK_SECRET_LIBREDESK",),
    gives=(
        "contact_started",
        "contact_queued",
        "contact_answered",
        "contact_replied",
        "contact_resolved",
        "contact_reopened",
        "contact_closed",
        "contact_surveyed",
    ),
    lacks=(
        "No hold, no after-contact work, no abandonment and no agents' states: their KPIs are null or 0 "
        "without meaning.",
        "A queue is an inbox: the webhooks do not say in which team a conversation waits.",
        "Which leg a second reopening begins: a conversation has at most two legs here.",
        "Libredesk sends each webhook once and drops what its queue cannot hold: numbers are a lower bound.",
    ),
)
