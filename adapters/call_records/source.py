"""What files of call records are; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="call_records",
    title="Call records as CSV",
    reads="file",
    summary="Files of call records, one call a line, by a declared layout: 3CX, CDR, QueueMetrics or yours.",
    example="ringback import call_records cdr.csv",
    layout="CSV, with a header or by position; the layout is found by the first line",
    reader="adapters.call_records.file:read_records",
    customers="adapters.call_records.file:customers_of",
    gives=(
        "contact_started",
        "contact_queued",
        "contact_offered",
        "contact_answered",
        "contact_transferred",
        "contact_abandoned",
        "contact_resolved",
    ),
    lacks=(
        "No holds, no after-contact work, no agents' states and no surveys.",
        "A transfer is a record of its own, which counts as a contact of its own.",
        "Times are whole seconds in the zone of the file, which it does not say: RINGBACK_CALL_RECORDS_ZONE.",
        "Asterisk's CDR does not say when an agent of a queue answered: such a wait is null.",
    ),
    ordered=True,  # the first line, header or call, says which layout it is
)
