"""What Chatwoot's webhooks are; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="chatwoot",
    title="Chatwoot: chats, messaging and e-mail",
    reads="webhook",
    summary="Chatwoot's account webhooks, as the gateway takes them; a file holds one payload a line.",
    example="ringback import chatwoot webhooks.jsonl",
    layout="JSON with event; conversations and messages",
    reader="adapters.chatwoot.payloads:read_chatwoot",
    customers="adapters.chatwoot.payloads:customers_of",
    adapter="adapters.chatwoot.payloads:ADAPTER",
    signature="chatwoot",
    secrets=("RINGBACK_SECRET_CHATWOOT",),
    gives=(
        "contact_started",
        "contact_queued",
        "contact_answered",
        "contact_replied",
        "contact_resolved",
        "contact_reopened",
        "contact_surveyed",
    ),
    lacks=(
        "No hold, no after-contact work, no abandonment and no agents' states: their KPIs are null or 0 "
        "without meaning.",
        "No transfers: a second assignee of a conversation is not told apart from the first one's colleague.",
        "A conversation that goes to another team stays in the queue of its first one until it is opened "
        "again.",
        "Chatwoot sends each webhook once and swallows errors: numbers are a lower bound.",
    ),
)
