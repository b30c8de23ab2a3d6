"""What Formbricks sends; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="formbricks",
    title="Formbricks: answers to surveys",
    reads="webhook",
    summary="Formbricks's webhooks: scores with their scales; a file holds one payload a line.",
    example="ringback import formbricks webhooks.jsonl",
    layout="JSON with webhookId, event and data",
    reader="adapters.formbricks.payloads:read",
    customers="adapters.formbricks.payloads:customers_of",
    parts="adapters.formbricks.payloads:files",
    adapter="adapters.formbricks.payloads:ADAPTER",
    signature="standard",
    secrets=("RINGBACK_SECRET_FORMBRICKS",),
    gives=("contact_surveyed",),
    lacks=(
        "Answers to surveys alone: all KPIs but those of surveys are null or 0 without meaning.",
        "An answer belongs to a contact only where the survey was sent with its contact_id.",
        "A question is known by its id: csat, nps, ces, aes, fcr, solved, or RINGBACK_SURVEY_QUESTIONS.",
        "An answer that is not finished counts with what it says so far.",
    ),
)
