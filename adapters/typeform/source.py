"""What Typeform sends; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="typeform",
    title="Typeform: answers to surveys",
    reads="webhook",
    summary="Typeform's webhooks: scores with their scales; a file holds one payload a line.",
    example="ringback import typeform webhooks.jsonl",
    layout="JSON with event_type and form_response",
    reader="adapters.typeform.payloads:read",
    customers="adapters.typeform.payloads:customers_of",
    adapter="adapters.typeform.payloads:ADAPTER",
    signature="typeform",
    secrets=("RINGBACK_SECRET_TYPEFORM",),
    gives=("contact_surveyed",),
    lacks=(
        "Answers to surveys alone: all KPIs but those of surveys are null or 0 without meaning.",
        "An answer belongs to a contact only where the survey was sent with its contact_id.",
        "A question is known by the ref of its field: csat, nps, ces, aes, fcr or solved in it.",
    ),
)
