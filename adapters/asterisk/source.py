"""What Asterisk's queue_log is; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="asterisk",
    title="Asterisk's queue_log",
    reads="file",
    summary="Asterisk's queue_log, all its rotated files together: they are put in order.",
    example="ringback import asterisk /var/log/asterisk/queue_log*",
    layout="epoch|call id|queue|member|EVENT|..., one event a line, whole seconds of UTC",
    reader="adapters.asterisk.file:read_queue_log",
    customers="adapters.asterisk.file:customers_of",
    gives=(
        "contact_started",
        "contact_queued",
        "contact_offered",
        "contact_answered",
        "contact_transferred",
        "contact_abandoned",
        "contact_resolved",
        "contact_wrapped",
        "contact_surveyed",
        "contact_rejected",
        "contact_withdrawn",
        "agent_state_changed",
    ),
    lacks=(
        "Hold times are null: no line tells of a hold. AMI does (source asterisk_ami).",
        "Times are whole seconds: a wait or a talk may be a second off.",
        "After a transfer to an agent's own extension the conversation goes on unseen, as after an attended "
        "transfer by SIP (form LINK): talk ends with the transfer.",
        "Members that are Local channels (FreePBX): transfers by their telephones, but for blind ones to a "
        "queue; talk lasts until the caller hangs up.",
        "A refused and a missed offer are the same line: both are missed.",
        "A caller whom a full or empty queue turns away leaves no line, unless the dialplan writes one.",
        "No call is known to be resolved or not, unless the dialplan writes a DISPOSITION.",
    ),
    ordered=True,
    parts="adapters.asterisk.file:QueueLog",
    follow="adapters.asterisk.rows:following",
    sort="adapters.asterisk.file:in_order",
)
