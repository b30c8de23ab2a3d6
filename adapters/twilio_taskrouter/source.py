"""What Twilio's TaskRouter sends; constants alone."""

from adapters.kit.source import Source

ENTRY = Source(
    name="twilio_taskrouter",
    title="Twilio TaskRouter: event callbacks and Event Streams",
    reads="webhook",
    summary="Twilio TaskRouter's event callbacks (forms) and Event Streams (CloudEvents), mixed.",
    example="ringback import twilio_taskrouter callbacks.log",
    layout="A form a line (EventType=...&TaskSid=...), or CloudEvents com.twilio.taskrouter...",
    reader="adapters.twilio_taskrouter.reading:read_twilio",
    customers="adapters.twilio_taskrouter.reading:customers_of",
    parts="adapters.twilio_taskrouter.reading:files",
    adapter="adapters.twilio_taskrouter.reading:ADAPTER",
    signature="twilio",
    secrets=("RINGBACK_SECRET_TWILIO_TASKROUTER",),
    gives=(
        "contact_started",
        "contact_queued",
        "contact_offered",
        "contact_answered",
        "contact_transferred",
        "contact_abandoned",
        "contact_resolved",
        "contact_wrapped",
        "agent_state_changed",
    ),
    lacks=(
        "No holds: TaskRouter does not know them. Talk time contains them.",
        "No task is known to be resolved or not, and there are no surveys.",
        "Customers are known where the flow puts from, caller, customerAddress or email into the attributes.",
        "A transfer of a chat by the old way opens a second task, which counts as a contact of its own.",
    ),
)
