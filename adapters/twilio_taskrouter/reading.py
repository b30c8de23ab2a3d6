"""Events of TaskRouter. Each step is told twice, of task and reservation: the latter is the fact."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from adapters.kit.journeys import Fact, JourneyAdapter, Said, parts_of, read_journeys
from adapters.kit.outcomes import InvalidInput, build
from adapters.kit.payload_fields import from_text, given, hashed, need, text
from adapters.kit.payloads import Ignored, Payload, customers_in, unknown_kind
from adapters.twilio_taskrouter import fields as names
from adapters.twilio_taskrouter.fields import CLOUD, ROUTER, attributes_of, fields_of, kind_of, parse
from adapters.twilio_taskrouter.telling import SOURCE, tell
from schemas.event_fields import OCCURRED_AT_MAX, OCCURRED_AT_MIN

TASK = (
    "task.created",
    "task.canceled",
    "task.wrapup",
    "task.completed",
    "task.deleted",
    "task.transfer-initiated",
    "task.transfer-completed",
    "task.transfer-failed",
    "task.transfer-canceled",
    "task-queue.entered",
    "task-queue.moved",
    "task-queue.timeout",
    "workflow.timeout",
    "workflow.skipped",
    "reservation.created",
    "reservation.accepted",
    "reservation.rejected",
    "reservation.timeout",
    "reservation.rescinded",
    "reservation.canceled",
    "reservation.failed",
    "reservation.wrapup",
    "reservation.completed",
)
NO_FACT = (
    "task.updated",
    "task.system-deleted",
    "task.transfer-attempt-failed",
    "task-queue.created",
    "task-queue.deleted",
    "task-queue.expression.updated",
    "workflow.created",
    "workflow.updated",
    "workflow.deleted",
    "workflow.entered",
    "workflow.target-matched",
)
NO_CONTACT = ("worker.", "activity.", "workspace.", "task-channel.")
FAMILIES = (*NO_CONTACT, "task.", "task-queue.", "workflow.", "reservation.")
STATES = {"available": "available", "idle": "available", "offline": "offline"}
NAMED = {"training": "training", "coaching": "training", "meeting": "meeting", "busy": "busy"}


def is_mine(payload: Payload) -> bool:
    """Has it the form of an event of TaskRouter, or of another CloudEvent of Twilio's?"""
    kind = payload.get("type") if "specversion" in payload else None
    if isinstance(kind, str) and kind.startswith(CLOUD):
        return True
    named = payload.get("event_type") or payload.get("eventtype")
    return isinstance(named, str) and named.startswith(FAMILIES) and "workspace_sid" in payload


def time_of(fields: Payload) -> int:
    """When it happened: milliseconds if they are there. Raises InvalidInput."""
    for name, unit in (("timestamp_ms", 1), ("timestamp", 1000)):
        value = fields.get(name)
        if isinstance(value, str) and not value.isascii():
            continue
        if isinstance(value, str) and not value.isdigit() and value:
            return from_text(value, name)
        if value not in (None, "") and not isinstance(value, bool) and isinstance(value, int | str):
            at = int(value) * unit if len(str(value)) < 20 else 0
            if OCCURRED_AT_MIN <= at < OCCURRED_AT_MAX:
                return at
    raise InvalidInput("bad_time", "neither timestamp_ms nor timestamp is a time")


def facts_of(payload: Payload, secret: bytes) -> Sequence[Said]:
    """What a payload says. Raises InvalidInput, Ignored."""
    if "specversion" in payload and not str(payload.get("type")).startswith(ROUTER):
        raise Ignored("other_product")
    kind, fields = kind_of(payload), fields_of(payload)
    if kind == "worker.activity.update":
        return [state_of(fields)]
    if kind not in TASK:
        if kind in NO_FACT or kind.startswith(NO_CONTACT):
            raise Ignored("no_fact")
        raise unknown_kind()
    task, at = need(text(fields, "task_sid"), "task_sid"), time_of(fields)
    return [Fact(task, name_of(kind, fields, at), value_of(kind, fields, at, secret))]


def name_of(kind: str, fields: Payload, at: int) -> str:
    """The name of a fact: of a reservation each step comes once, of a queue at each time."""
    return f"{kind}|{text(fields, 'reservation_sid') or text(fields, 'task_queue_sid') or ''}|{at}"


def value_of(kind: str, fields: Payload, at: int, secret: bytes) -> dict[str, Any]:
    """What is kept of a fact."""
    attributes = attributes_of(fields) if kind in ("task.created", "task-queue.entered") else {}
    direction = attributes.get("direction")
    return given(
        at=at,
        kind=kind,
        queue=text(fields, "task_queue_name") or text(fields, "task_queue_sid"),
        worker=text(fields, "worker_name") or text(fields, "worker_sid"),
        reservation=text(fields, "reservation_sid"),
        channel=text(fields, "task_channel_unique_name"),
        reason=text(fields, "task_canceled_reason"),
        mode=text(fields, "transfer_mode"),
        to=text(fields, "transfer_to"),
        outbound=True if direction in ("outbound", "outbound-api") else None,
        customer=hashed(names.customers_of(attributes), secret),
    )


def state_of(fields: Payload) -> Said:
    """A worker's new activity; one that is neither available nor offline is a break. Raises InvalidInput."""
    activity = need(text(fields, "worker_activity_name"), "worker_activity_name")
    worker = need(text(fields, "worker_name") or text(fields, "worker_sid"), "worker_name")
    at, word = time_of(fields), activity.casefold()
    state = STATES.get(word) or NAMED.get(word, "break")
    told = {"event_id": f"state-{at}", "agent": worker, "state": state, "occurred_at": at, "source": SOURCE}
    return build("agent_state_changed", told | ({} if word in STATES else {"reason": activity}))


def customers(payload: Payload) -> Iterable[object]:
    """Raw identifiers of customers in a payload."""
    return names.customers_of(attributes_of(fields_of(payload)))


JOURNEYS = JourneyAdapter(is_mine, facts_of, tell, customers, parse)
ADAPTER = JOURNEYS.remembering(posted=True)
read_twilio = partial(read_journeys, JOURNEYS)
files = parts_of(JOURNEYS)
customers_of = partial(customers_in, ADAPTER)
