"""What Genesys Cloud sends; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="genesys",
    title="Genesys Cloud: detail events and conversation detail records",
    reads="webhook",
    summary="Genesys Cloud's detail events and conversation detail records, mixed as they come.",
    example="ringback import genesys conversations.jsonl",
    layout="JSON objects: detail events as EventBridge carries them, or conversations with participants",
    reader="adapters.genesys.reading:read_genesys",
    customers="adapters.genesys.reading:customers_of",
    parts="adapters.genesys.reading:files",
    adapter="adapters.genesys.reading:ADAPTER",
    signature="api-key",
    secrets=("RINGBACK_SECRET_GENESYS",),
    gives=(
        "contact_started",
        "contact_queued",
        "contact_offered",
        "contact_answered",
        "contact_held",
        "contact_resumed",
        "contact_transferred",
        "contact_abandoned",
        "contact_resolved",
        "contact_wrapped",
        "contact_reopened",
        "contact_closed",
    ),
    lacks=(
        "No agents' states: their topics (v2.users.{id}.activity) are ignored, so occupancy is null.",
        "No conversation is known to be resolved or not: the outcome is unknown.",
        "Single holds come from conversation detail records; detail events tell the sum at the end.",
        "A hold of a message is time spent elsewhere: no hold and no hold KPIs for messages.",
        "No surveys.",
        "Queues, agents and wrap-up codes are ids.",
    ),
)
