"""Callbacks (forms, names in camel case) and Event Streams (JSON, in snake case) as one kind of payload."""

import re
from typing import Any

from adapters.kit.json_values import json_object, json_value
from adapters.kit.outcomes import InvalidInput
from adapters.kit.payload_fields import part, text
from adapters.kit.payloads import Payload, posted

CLOUD = "com.twilio."
ROUTER = "com.twilio.taskrouter."
WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
FIELDS_MAX = 200
CUSTOMERS = ("customerAddress", "from", "caller", "customer_address", "email", "phone", "name")


def snake(name: str) -> str:
    """TaskQueueName -> task_queue_name."""
    return WORD.sub("_", name).lower()


def parse(body: bytes) -> list[Payload | InvalidInput]:
    """The payloads of a body: JSON, or a form. Raises InvalidInput."""
    return posted(body, lambda form: {snake(name): value for name, value in form}, FIELDS_MAX)


def fields_of(payload: Payload) -> Payload:
    """The fields of an event of TaskRouter, wherever they stand."""
    return part(part(payload, "data"), "payload") if "specversion" in payload else payload


def kind_of(payload: Payload) -> str:
    """The type of an event, such as task.created."""
    fields = fields_of(payload)
    named = text(fields, "event_type") or text(fields, "eventtype")
    return named or (text(payload, "type") or "").removeprefix(ROUTER)


def attributes_of(fields: Payload) -> dict[str, Any]:
    """The attributes of the task, a JSON text inside; empty where they are none. Raises InvalidInput."""
    given = fields.get("task_attributes")
    if isinstance(given, dict):
        return given
    try:
        return json_object(json_value((text(fields, "task_attributes") or "{}").encode("utf-8", "replace")))
    except InvalidInput:
        return {}


def customers_of(attributes: Payload) -> list[str | None]:
    """Raw identifiers of the customer in the attributes of a task."""
    return [value if isinstance(value := attributes.get(name), str) else None for name in CUSTOMERS]
