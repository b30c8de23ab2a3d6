"""Documents for machines: docs/reference/openapi.json of the gateway, asyncapi.json of the topics."""

import json
from typing import Any

from adapters.registry import SOURCES
from alerts.json_schema import schema_of
from gateway.openapi import document
from schemas.avro_schemas import raw_schema
from schemas.events import MODELS
from schemas.topics import AGENT_EVENTS, CONTACT_EVENTS, DEAD_LETTERS, SOURCE_HEARTBEATS

AVRO = "application/vnd.apache.avro;version=1.12.0"
KEYS = {
    CONTACT_EVENTS: "contact_id: all events of a contact share a partition",
    AGENT_EVENTS: "agent",
    SOURCE_HEARTBEATS: "source",
    DEAD_LETTERS: "origin",
}
OTHERS = {"agent_state_changed": AGENT_EVENTS, "source_heartbeat": SOURCE_HEARTBEATS}
FRAMING = (
    "Avro single-object encoding (C3 01, the schema's CRC-64-AVRO fingerprint, the body), or the Confluent "
    "wire format where a schema registry is configured."
)
LETTER = {
    "type": "object",
    "required": ["origin", "position", "reason", "detail", "payload", "failed_at"],
    "properties": {
        "origin": {"type": "string"},
        "position": {"type": "integer"},
        "reason": {"type": "string", "description": "A stable short code."},
        "detail": {"type": "string"},
        "payload": {"type": "string", "contentEncoding": "base64"},
        "failed_at": {"type": "integer", "description": "UTC milliseconds."},
        "recent": {"type": "array", "items": {"type": "integer"}},
    },
}


def text(value: Any) -> str:
    """A document as a file."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def alert_rules() -> str:
    """docs/reference/alert-rules.schema.json: the rule file, for editors."""
    return text(schema_of("rules"))


def alert_receivers() -> str:
    """docs/reference/alert-receivers.schema.json: the file of receivers, for editors."""
    return text(schema_of("receivers"))


def openapi() -> str:
    """docs/reference/openapi.json, which the gateway serves at /v1/openapi.json."""
    return text(document(SOURCES))


def message(type_: str) -> dict[str, Any]:
    """A type of event as a message."""
    schema = raw_schema(type_)
    return {
        "name": type_,
        "summary": schema["doc"],
        "contentType": "avro/binary",
        "payload": {"schemaFormat": AVRO, "schema": schema},
    }


def channel(topic: str, types: list[str]) -> dict[str, Any]:
    """A topic, with the messages in it."""
    return {
        "address": topic,
        "description": f"Key: {KEYS[topic]}.",
        "messages": {type_: {"$ref": f"#/components/messages/{type_}"} for type_ in types},
        "bindings": {"kafka": {"topic": topic}},
    }


def operation(action: str, topic: str) -> dict[str, Any]:
    """What a program may do at a topic."""
    return {"action": action, "channel": {"$ref": f"#/channels/{topic}"}}


def asyncapi() -> str:
    """docs/reference/asyncapi.json: the topics that producers write, and the dead letters."""
    types: dict[str, list[str]] = {CONTACT_EVENTS: [], AGENT_EVENTS: [], SOURCE_HEARTBEATS: []}
    for type_ in MODELS:
        types[OTHERS.get(type_, CONTACT_EVENTS)].append(type_)
    types[DEAD_LETTERS] = ["dead_letter"]
    letter = {"name": "dead_letter", "contentType": "application/json", "payload": LETTER}
    return text(
        {
            "asyncapi": "3.0.0",
            "info": {"title": "Ringback topics", "version": "2", "description": FRAMING},
            "defaultContentType": "avro/binary",
            "channels": {topic: channel(topic, names) for topic, names in types.items()},
            "operations": {
                **{f"write-{topic}": operation("receive", topic) for topic in types if topic != DEAD_LETTERS},
                f"read-{DEAD_LETTERS}": operation("send", DEAD_LETTERS),
            },
            "components": {"messages": {type_: message(type_) for type_ in MODELS} | {"dead_letter": letter}},
        }
    )
