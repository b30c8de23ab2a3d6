"""What Delighted sends; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="delighted",
    title="Delighted: answers to surveys",
    reads="webhook",
    summary="Delighted's webhooks: scores with their scales; a file holds one payload a line.",
    example="ringback import delighted webhooks.jsonl",
    layout="JSON with event_type survey_response..., event_id and event_data",
    reader="adapters.delighted.payloads:read",
    customers="adapters.delighted.payloads:customers_of",
    adapter="adapters.delighted.payloads:ADAPTER",
    signature="delighted",
    secrets=("RINGBACK_SECRET_DELIGHTED",),
    gives=("contact_surveyed",),
    lacks=(
        "Answers to surveys alone: all KPIs but those of surveys are null or 0 without meaning.",
        "An answer belongs to a contact only where the survey was sent with its contact_id.",
    ),
)
