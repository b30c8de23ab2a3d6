"""What a mapping may write: the fields of events, the kind of each, and the words that it allows."""

from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from schemas.events import MODELS

Kind = Literal["text", "number", "time", "duration", "truth", "word", "dimensions", "contact"]
REFERENCES = ("to_contact_id", "merged_into", "callback_of", "parent_contact_id")
# Made by the engine from `event_id`, `contact_id`, `customers`, `at` and the name of the source.
MADE = ("event_id", "contact_id", "source", "occurred_at", "customer_key", "type")


@dataclass(frozen=True, slots=True)
class Target:
    """A field that a mapping can fill."""

    kind: Kind
    required: bool
    words: tuple[str, ...] = ()


@cache
def targets(type_: str) -> dict[str, Target]:
    """The fields of a type of event that a mapping fills itself."""
    fields = MODELS[type_].model_fields
    return {
        name: target(name, field.annotation, field.is_required())
        for name, field in fields.items()
        if name not in MADE
    }


def target(name: str, annotation: Any, required: bool) -> Target:
    """The target that a field of a model is."""
    kind, words = kind_of(name, annotation)
    return Target(kind, required, words)


def kind_of(name: str, annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    """The kind of a field, and its words."""
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (one for one in get_args(annotation) if one is not NoneType)
    if get_origin(annotation) is Literal:
        return "word", get_args(annotation)
    if name in REFERENCES or name == "dimensions":
        return ("contact" if name in REFERENCES else "dimensions"), ()
    if name.endswith("_ms"):
        return "duration", ()
    bare = get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation
    return {int: ("number", ()), bool: ("truth", ())}.get(bare, ("text", ()))  # type: ignore[return-value]
