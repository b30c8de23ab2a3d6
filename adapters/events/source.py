"""What a file of canonical events is; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="events",
    title="Events as JSON lines: the way in for a system of your own",
    reads="file",
    summary="Canonical events as JSON lines: the generic way in. docs/guide/sending.md shows it.",
    example="ringback import events calls.jsonl.gz",
    layout="one JSON object a line, its type and fields those of schemas/events.py",
    reader="adapters.events.json_lines:read_events",
    customers="adapters.events.json_lines:customers_of",
    apart=True,
    gives=(
        "contact_started",
        "contact_queued",
        "contact_answered",
        "contact_held",
        "contact_resumed",
        "contact_transferred",
        "contact_abandoned",
        "contact_resolved",
        "contact_wrapped",
        "contact_reopened",
        "contact_surveyed",
        "contact_offered",
        "contact_replied",
        "contact_rejected",
        "contact_closed",
        "contact_withdrawn",
        "contact_linked",
        "agent_state_changed",
        "source_heartbeat",
    ),
    lacks=("Every KPI can be given; what no event is sent for stays null.",),
)
