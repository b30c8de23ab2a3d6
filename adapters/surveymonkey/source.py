"""What SurveyMonkey sends; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="surveymonkey",
    title="SurveyMonkey: answers to surveys",
    reads="webhook",
    summary="SurveyMonkey's webhooks: scores with their scales; a file holds one payload a line.",
    example="ringback import surveymonkey webhooks.jsonl",
    layout="JSON of webhooks, or responses with pages as its API gives them",
    reader="adapters.surveymonkey.payloads:read",
    customers="adapters.surveymonkey.payloads:customers_of",
    adapter="adapters.surveymonkey.payloads:ADAPTER",
    signature="surveymonkey",
    challenge="get",
    secrets=("RINGBACK_SECRET_SURVEYMONKEY",),
    gives=("contact_surveyed",),
    lacks=(
        "Answers to surveys alone: all KPIs but those of surveys are null or 0 without meaning.",
        "An answer belongs to a contact only where the survey was sent with its contact_id.",
        "A webhook holds no score: fetch the response by the API and import or post that.",
    ),
)
