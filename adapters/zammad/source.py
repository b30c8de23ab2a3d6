"""What Zammad's webhooks are; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="zammad",
    title="Zammad: tickets by e-mail, web and messaging",
    reads="webhook",
    summary="Zammad's webhooks with their default payload; a file holds one payload a line.",
    example="ringback import zammad webhooks.jsonl",
    layout="JSON with ticket and article",
    reader="adapters.zammad.payloads:read_zammad",
    customers="adapters.zammad.payloads:customers_of",
    adapter="adapters.zammad.payloads:ADAPTER",
    signature="hub-sha1",
    secrets=("RINGBACK_SECRET_ZAMMAD",),
    gives=(
        "contact_started",
        "contact_queued",
        "contact_answered",
        "contact_replied",
        "contact_resolved",
        "contact_reopened",
        "contact_withdrawn",
    ),
    lacks=(
        "No hold, no after-contact work, no abandonment, no surveys and no agents' states: their KPIs are "
        "null or 0 without meaning.",
        "A ticket stays in the queue of the group it was first seen in; moves between groups are not told.",
        "Into which ticket another was merged is not told.",
        "Of several reopenings the first is known, and of several closings the first and the last.",
    ),
)
