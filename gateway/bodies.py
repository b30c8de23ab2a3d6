"""Bodies of POST /v1/events: what each media type holds, as objects one after the other."""

from collections.abc import Callable, Mapping
from typing import Any

from adapters.events.json_lines import parse_object
from adapters.kit.json_values import json_value
from adapters.kit.outcomes import InvalidInput
from gateway.problems import Problem
from schemas.shape import quoted

Objects = list[dict[str, Any]]
JSON, LINES, LINES_TOO = "application/json", "application/x-ndjson", "application/jsonl"
CLOUD, CLOUD_BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
SPEC_VERSION = "1.0"


def value_of(body: bytes) -> Any:
    """The JSON value of a body. Raises Problem."""
    try:
        return json_value(body)
    except InvalidInput as error:
        raise Problem(422, error.reason, error.detail) from None


def objects(value: Any) -> Objects:
    """An object, or a list of them. Raises Problem."""
    found = value if isinstance(value, list) else [value]
    for index, item in enumerate(found):
        if not isinstance(item, dict):
            raise Problem(
                422, "not_an_object", f"number {index} is a JSON {type(item).__name__}, not an object"
            )
    return found


def from_json(body: bytes) -> Objects:
    """One event, or a list of events."""
    return objects(value_of(body))


def from_lines(body: bytes) -> Objects:
    """An event a line; empty lines do not matter. Raises Problem that names the line."""
    found = []
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            try:
                found.append(parse_object(line))
            except InvalidInput as error:
                raise Problem(422, error.reason, f"line {number}: {error.detail}") from None
    return found


def from_cloud(body: bytes) -> Objects:
    """CloudEvents 1.0 in structured mode: one, or a batch. `data` is the event; see `of_cloud_event`."""
    return [of_cloud_event(item, index) for index, item in enumerate(objects(value_of(body)))]


def of_cloud_event(item: Mapping[str, Any], index: int) -> dict[str, Any]:
    """The event that a CloudEvent carries. Raises Problem.

    What `data` does not say comes from the envelope: type, event_id, source and occurred_at from its type,
    id, source and time, contact_id from its subject.
    """
    version = item.get("specversion")
    if version != SPEC_VERSION:
        raise Problem(422, "not_a_cloud_event", f"number {index} has no specversion {SPEC_VERSION}")
    missing = [name for name in ("id", "source", "type") if not isinstance(item.get(name), str)]
    if missing:
        raise Problem(422, "not_a_cloud_event", f"number {index} has no text as {', '.join(missing)}")
    if item.get("datacontenttype", JSON) != JSON:
        said = quoted(str(item["datacontenttype"]))
        raise Problem(422, "not_a_cloud_event", f"number {index}: datacontenttype {said} is not {JSON}")
    data = item.get("data")
    if not isinstance(data, dict):
        raise Problem(422, "not_a_cloud_event", f"number {index} has no object as data")
    given = {"type": item["type"].rpartition(".")[2], "event_id": item["id"], "source": item["source"]}
    if "time" in item:
        given["occurred_at"] = item["time"]
    if "subject" in item:
        given["contact_id"] = item["subject"]
    return given | data


BODIES: dict[str, Callable[[bytes], Objects]] = {
    JSON: from_json,
    LINES: from_lines,
    LINES_TOO: from_lines,
    CLOUD: from_cloud,
    CLOUD_BATCH: from_cloud,
}


def events_in(content_type: str, body: bytes) -> Objects:
    """The events of a body, not yet looked at. Raises Problem."""
    parse = BODIES.get(content_type)
    if parse is None:
        said = quoted(content_type)
        raise Problem(415, "media_type", f"Content-Type {said} is not one of {', '.join(BODIES)}")
    return parse(body)
