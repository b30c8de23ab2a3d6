"""docs/reference/events.md, from the models in schemas/events.py and the docs in schemas/avro."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from docs.build.markdown import MADE, code, page, table
from schemas.avro_schemas import raw_schema
from schemas.events import MODELS, Envelope, Event
from schemas.topics import AGENT_EVENTS, CONTACT_EVENTS, SOURCE_HEARTBEATS

HEAD = """An event is a JSON object in [JSON lines](../guide/sending.md#json-lines), or an Avro record
[in Kafka](../guide/sending.md#avro-straight-to-kafka); the schemas are in `schemas/avro`. The names of
types and fields are the same in both. Where a default stands, JSON lines may leave the field out; in
Avro all fields are written."""
TIMES = """Durations end in `_ms` and are whole milliseconds. `occurred_at` is whole milliseconds since
1970, from 1990 to 2099; in JSON lines also ISO 8601 with an offset from UTC, such as
`2026-01-05T09:00:00+01:00`. There `customer_id`, a raw telephone number, address or account, may stand
in place of `customer_key`: the import replaces it by a keyed hash and does not send it."""
WORDS = {str: "text", int: "whole number", bool: "true or false"}
COMMON = {*Envelope.model_fields, "type"}
# Where the types go that are no events of contacts.
OTHERS = {"agent_state_changed": AGENT_EVENTS, "source_heartbeat": SOURCE_HEARTBEATS}


def values(annotation: Any) -> str:
    """What a field may hold."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return values(inner[0])
    if origin is Literal:
        return ", ".join(code(value) for value in inner)
    if origin in (Union, UnionType):
        return values(next(part for part in inner if part is not type(None)))
    if origin is dict:
        return "names in lower case, with texts"
    return WORDS[annotation]


def default(model: type[Event], name: str) -> str:
    """Default of a field as JSON writes it."""
    field = model.model_fields[name]
    if field.is_required():
        return "required"
    if field.default is None:
        return "none"
    return code(str(field.default).lower() if isinstance(field.default, bool) else field.default)


def docs(type_: str) -> dict[str, str]:
    """What each field means."""
    return {field["name"]: field["doc"] for field in raw_schema(type_)["fields"]}


def rows(type_: str, names: list[str]) -> list[tuple[str, str, str, str]]:
    """Fields of a type."""
    model, said = MODELS[type_], docs(type_)
    return [
        (code(name), default(model, name), values(model.model_fields[name].annotation), said[name])
        for name in names
    ]


def entry(type_: str) -> Iterator[str]:
    """A type of event."""
    contact = issubclass(MODELS[type_], Envelope)
    names = [name for name in MODELS[type_].model_fields if name != "type"]
    own = [name for name in names if not (contact and name in COMMON)]
    yield f"## {type_}"
    yield raw_schema(type_)["doc"]
    if own:
        yield table(("Field", "Default", "Value", "Meaning"), rows(type_, own))
    else:
        yield "It has no fields of its own."


def reference() -> str:
    """docs/reference/events.md: every type of event, with its fields."""
    listed = [
        (
            f"[`{name}`](#{name})",
            code(OTHERS.get(name, CONTACT_EVENTS)),
            raw_schema(name)["doc"].partition(".")[0] + ".",
        )
        for name in MODELS
    ]
    envelope = rows("contact_started", [*Envelope.model_fields])
    kind = (
        code("type"),
        "required",
        "one of the above",
        "Which event. In Avro the name of the schema says it.",
    )
    return page(
        "# Events",
        MADE,
        HEAD,
        table(("Type", "Topic", "What happened"), listed),
        "## Fields of every contact event",
        table(("Field", "Default", "Value", "Meaning"), [kind, *envelope]),
        TIMES,
        *(block for name in MODELS for block in entry(name)),
    )
