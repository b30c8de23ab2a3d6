"""What the ServiceNow incident event log is; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="servicenow",
    title="The incident event log of ServiceNow that UCI publishes",
    reads="file",
    summary="The ServiceNow incident event log (CSV, one row per update of an incident).",
    example="ringback import servicenow incident_event_log.zip",
    layout="CSV of 36 columns under a header, one row per update of an incident; an incident in one file",
    reader="adapters.servicenow.file:read_servicenow",
    customers="adapters.servicenow.rows:customers_of",
    gives=(
        "contact_started",
        "contact_queued",
        "contact_answered",
        "contact_held",
        "contact_resumed",
        "contact_transferred",
        "contact_resolved",
        "contact_reopened",
    ),
    lacks=(
        "Nobody waits on the line (channel messaging): ASA and abandon times are null; abandonment and "
        "after-contact work are 0 without meaning.",
        "No call-backs, surveys and agent states: call-backs, CSAT, NPS, CES, AES, occupancy, utilisation "
        "and concurrency are null.",
        "Times are whole minutes of the calendar, so waits and handle times are too.",
    ),
    header_lines=1,
    snapshot=True,
)
