"""What events of FreeSWITCH's mod_callcenter are; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="freeswitch",
    title="FreeSWITCH's mod_callcenter",
    reads="file",
    summary="Events of FreeSWITCH's mod_callcenter, recorded from its event socket.",
    example="ringback import freeswitch events.jsonl",
    layout="JSON objects, one a line or in an array, or the bytes of an event socket, plain or JSON",
    reader="adapters.freeswitch.file:read_freeswitch",
    customers="adapters.freeswitch.fields:customers_of",
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
        "agent_state_changed",
    ),
    lacks=(
        "No after-contact work: the agent is free for the next call at once, whatever wrap-up-time is.",
        "Transfers to a telephone and attended transfers are not told: the leg is resolved. A second queue "
        "after the agent's hanging up looks like a transfer to it.",
        "Who hung up is not told: a resolved contact is by the agent without meaning.",
        "Holds need CHANNEL_HOLD and CHANNEL_UNHOLD in the subscription; else they are 0 without meaning.",
        "No call is known to be resolved or not; no surveys.",
    ),
    ordered=True,
    parts="adapters.freeswitch.file:EventFile",
    listen="adapters.freeswitch.live:SocketListener",
)
