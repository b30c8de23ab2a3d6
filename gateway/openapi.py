"""The OpenAPI document of the gateway, made from the models of events and the registry of sources."""

from collections.abc import Iterable
from typing import Any

from adapters.kit.source import Source
from gateway.bodies import CLOUD, CLOUD_BATCH, JSON, LINES, LINES_TOO
from gateway.challenges import BY_GET
from gateway.problems import PROBLEM_JSON, TITLES
from schemas.events import MODELS

Document = dict[str, Any]
PATH = "/v1/openapi.json"
EVENT, PROBLEM = "#/components/schemas/Event", "#/components/schemas/Problem"
COUNT = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}
EVENT_REFUSALS = (400, 401, 408, 413, 415, 422, 429, 503)
QUESTION_REFUSALS = (400, 401, 404, 422, 429, 503)
SOURCE_REFUSALS = (400, 401, 404, 408, 413, 415, 422, 429, 503)
ERROR = {"index": COUNT, "reason": TEXT, "detail": TEXT}
ERRORS = {"type": "array", "items": {"type": "object", "properties": ERROR}}
TIME = {"anyOf": [{"type": "integer", "format": "int64"}, {"type": "string", "format": "date-time"}]}


def event_schema(type_: str) -> Document:
    """An event as it is sent: its type is named, a time may be ISO 8601, a customer may be given raw."""
    made: Document = MODELS[type_].model_json_schema()
    properties = made["properties"] | {"type": {"const": type_, "type": "string"}}
    made["required"] = sorted({*made.get("required", ()), "type"})
    if "customer_key" in properties:
        raw: Document = {"type": ["string", "integer", "null"]}
        properties["customer_id"] = raw | {
            "description": "A raw identifier in place of customer_key: hashed."
        }
    made["properties"] = properties | {"occurred_at": TIME}
    return made


def cloud_event() -> Document:
    """A CloudEvent 1.0 in structured mode."""
    properties: Document = dict.fromkeys(("id", "source", "type", "subject", "time"), TEXT)
    properties |= {
        "specversion": {"const": "1.0"},
        "datacontenttype": {"const": JSON},
        "data": {"type": "object"},
    }
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": properties,
    }


def problem_schema() -> Document:
    """A problem document (RFC 9457)."""
    return {
        "type": "object",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "A stable short code."},
            "detail": TEXT,
            "errors": ERRORS,
        },
    }


def content(kind: str, schema: Document) -> Document:
    """The content of a body."""
    return {kind: {"schema": schema}}


def listed(schema: Document) -> Document:
    """A list of it."""
    return {"type": "array", "items": schema}


def counts(*names: str, **more: Document) -> Document:
    """The answer 202."""
    properties = dict.fromkeys(names, COUNT) | more
    schema = {"type": "object", "required": list(names), "properties": properties}
    return {"description": "Kafka or the spool has everything.", "content": content(JSON, schema)}


def refusals(statuses: Iterable[int]) -> Document:
    """The answers that refuse."""
    said = content(PROBLEM_JSON, {"$ref": PROBLEM})
    return {str(status): {"description": TITLES[status], "content": said} for status in statuses}


def events_path() -> Document:
    """POST /v1/events."""
    one, cloud = {"$ref": EVENT}, {"$ref": "#/components/schemas/CloudEvent"}
    bodies = content(JSON, {"anyOf": [one, listed(one)]})
    bodies |= content(CLOUD, cloud) | content(CLOUD_BATCH, listed(cloud))
    bodies |= content(LINES, TEXT) | content(LINES_TOO, TEXT)
    return {
        "summary": "Take events, all of a request or none of it.",
        "operationId": "postEvents",
        "security": [{"token": []}],
        "requestBody": {"required": True, "content": bodies},
        "responses": {"202": counts("accepted")} | refusals(EVENT_REFUSALS),
    }


def source_path(source: Source) -> Document:
    """POST /v1/sources/<name>. Some ask by it as well, and are answered 200."""
    asks = source.challenge and source.challenge not in BY_GET
    asked: Document = {"200": {"description": "The question whether this address is yours."}} if asks else {}
    done = counts("accepted", "ignored", "refused", errors=ERRORS)
    return {
        "summary": f"Webhooks of {source.title}",
        "operationId": f"post_{source.name}",
        "security": [],
        "description": f"Signed by {source.name}; {source.page} says how.",
        "requestBody": {"required": True, "content": content(JSON, {"type": ["object", "array"]})},
        "responses": asked | {"202": done} | refusals(SOURCE_REFUSALS),
    }


def question_path(source: Source) -> Document:
    """GET /v1/sources/<name>, of a system that asks before it posts."""
    names = ("hub.mode", "hub.verify_token", "hub.challenge") if source.challenge == "meta" else ()
    return {
        "summary": f"Is this address yours? Asked before {source.title} are posted.",
        "operationId": f"ask_{source.name}",
        "security": [],
        "parameters": [{"name": name, "in": "query", "schema": TEXT} for name in names],
        "responses": {"200": {"description": "It is.", "content": content("text/plain", TEXT)}}
        | refusals(QUESTION_REFUSALS),
    }


def paths_of(source: Source) -> Document:
    """What is served for a source."""
    asked = {"get": question_path(source)} if source.challenge in BY_GET else {}
    return {"post": source_path(source)} | asked


def document(sources: Iterable[Source]) -> Document:
    """The whole document."""
    events = {f"Event_{type_}": event_schema(type_) for type_ in MODELS}
    any_event = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in events]}
    schemas = events | {"Event": any_event, "CloudEvent": cloud_event(), "Problem": problem_schema()}
    paths = {"/v1/events": {"post": events_path()}}
    paths |= {f"/v1/sources/{s.name}": paths_of(s) for s in sources if s.adapter}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ringback gateway",
            "version": "1",
            "description": "Events of contacts over HTTP, answered when Kafka has acknowledged.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
