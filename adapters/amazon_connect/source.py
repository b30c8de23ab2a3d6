"""What Amazon Connect sends; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="amazon_connect",
    title="Amazon Connect: contact events, contact records, agent events",
    reads="webhook",
    summary="Amazon Connect's contact events, contact records and agent events, mixed as they come.",
    example="ringback import amazon_connect firehose-object.gz",
    layout="JSON objects of the three feeds, one a line or one behind the other",
    reader="adapters.amazon_connect.reading:read_connect",
    customers="adapters.amazon_connect.reading:customers_of",
    parts="adapters.amazon_connect.reading:files",
    adapter="adapters.amazon_connect.reading:ADAPTER",
    signature="api-key",
    secrets=("RINGBACK_SECRET_AMAZON_CONNECT",),
    gives=(
        "contact_started",
        "contact_queued",
        "contact_offered",
        "contact_answered",
        "contact_held",
        "contact_resumed",
        "contact_replied",
        "contact_transferred",
        "contact_abandoned",
        "contact_resolved",
        "contact_wrapped",
        "contact_surveyed",
        "agent_state_changed",
    ),
    lacks=(
        "No call is known to be resolved or not: the outcome is unknown.",
        "Single holds come from the agent event stream alone; the other two feeds tell their sum.",
        "After-contact work is null where neither COMPLETED, nor the record, nor the agent stream is read.",
        "Customers come from contact records, and from contact events where a flow sets customerId.",
        "Queues and agents are the ids at the end of their ARNs; names stand in records alone.",
        "Reasons and surveys are known where a flow writes attributes: reason, csat, nps, ces, aes, fcr.",
    ),
)
