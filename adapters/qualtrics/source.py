"""What Qualtrics sends; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="qualtrics",
    title="Qualtrics: answers to surveys",
    reads="webhook",
    summary="Qualtrics's webhooks: scores with their scales; a file holds one payload a line.",
    example="ringback import qualtrics webhooks.log",
    layout="Forms with Topic and MSG, or responses with result.values as its API gives them",
    reader="adapters.qualtrics.payloads:read",
    customers="adapters.qualtrics.payloads:customers_of",
    adapter="adapters.qualtrics.payloads:ADAPTER",
    signature="api-key",
    challenge="get",
    secrets=("RINGBACK_SECRET_QUALTRICS",),
    gives=("contact_surveyed",),
    lacks=(
        "Answers to surveys alone: all KPIs but those of surveys are null or 0 without meaning.",
        "An answer belongs to a contact only where the survey was sent with its contact_id.",
        "An event holds no score: fetch the response by the API and import or post that.",
    ),
)
