"""What Satismeter sends; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="satismeter",
    title="Satismeter: answers to surveys",
    reads="webhook",
    summary="Satismeter's webhooks: scores with their scales; a file holds one payload a line.",
    example="ringback import satismeter webhooks.jsonl",
    layout="JSON with event, response and campaign",
    reader="adapters.satismeter.payloads:read",
    customers="adapters.satismeter.payloads:customers_of",
    adapter="adapters.satismeter.payloads:ADAPTER",
    signature="api-key",
    secrets=("RINGBACK_SECRET_SATISMETER",),
    gives=("contact_surveyed",),
    lacks=(
        "Answers to surveys alone: all KPIs but those of surveys are null or 0 without meaning.",
        "An answer belongs to a contact only where the survey was sent with its contact_id.",
    ),
)
