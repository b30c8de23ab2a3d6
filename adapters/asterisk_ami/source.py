"""What recorded sessions of Asterisk's AMI are; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="asterisk_ami",
    title="Asterisk's AMI, beside queue_log or alone",
    reads="file",
    summary="A recorded session of Asterisk's AMI: holds and exact times, beside queue_log or alone.",
    example="ringback import asterisk_ami ami.log",
    layout="blocks of Name: value, an empty line after each, as the manager interface sends them",
    reader="adapters.asterisk_ami.file:read_ami",
    customers="adapters.asterisk_ami.file:customers_of",
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
        "contact_linked",
        "contact_withdrawn",
        "agent_state_changed",
    ),
    lacks=(
        "What happens while nobody is connected is lost; queue_log has it, without holds.",
        "A caller whom a queue turns away is not told.",
        "After a blind transfer to an agent's own extension the conversation goes on unseen.",
        "A refused and a missed offer are the same event: both are missed.",
        "No surveys, and no call is known to be resolved or not; a dialplan can write both into queue_log.",
    ),
    ordered=True,
    parts="adapters.asterisk_ami.file:AmiFile",
    listen="adapters.asterisk_ami.live:AmiListener",
)
