"""What AskNicely sends; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="asknicely",
    title="AskNicely: answers to surveys",
    reads="webhook",
    summary="AskNicely's webhooks: scores with their scales; a file holds one payload a line.",
    example="ringback import asknicely webhooks.jsonl",
    layout="JSON with rows under data, or rows by themselves",
    reader="adapters.asknicely.payloads:read",
    customers="adapters.asknicely.payloads:customers_of",
    adapter="adapters.asknicely.payloads:ADAPTER",
    signature="api-key",
    secrets=("RINGBACK_SECRET_ASKNICELY",),
    gives=("contact_surveyed",),
    lacks=(
        "Answers to surveys alone: all KPIs but those of surveys are null or 0 without meaning.",
        "An answer belongs to a contact only where the survey was sent with its contact_id.",
    ),
)
