"""Values of a mapping: an expression or a constant, in the unit, zone and table that the file declares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from adapters.kit.outcomes import InvalidInput
from adapters.mapping.expressions import Bounded, Expression, Scope, evaluate
from adapters.mapping.functions import key_text
from adapters.mapping.targets import Kind
from adapters.mapping.times import milliseconds, number_of, time_ms

NOTHING = object()


@dataclass(frozen=True, slots=True)
class Value:
    """How one field is filled; of one that names another contact `ids` are the parts of its id.

    `otherwise` is what a key gives that is in no table; NOTHING: the payload is refused.
    """

    kind: Kind
    name: str
    line: int
    path: Expression | None = None
    constant: Any = None
    unit: str = ""
    zone: ZoneInfo | None = None
    null_if: tuple[Any, ...] = ()
    table: Mapping[str, Any] | None = None
    otherwise: Any = NOTHING
    required: bool = False
    plus: tuple[Expression, ...] = ()
    plus_unit: str = "ms"
    parts: Mapping[str, "Value"] = field(default_factory=dict)
    ids: tuple["Value", ...] = ()


def value_of(value: Value, scope: Scope, run: Bounded) -> Any:
    """The value of a field; None where there is none and none is needed. Raises InvalidInput."""
    if value.kind == "dimensions":
        found = {name: value_of(part, scope, run) for name, part in value.parts.items()}
        return {name: one for name, one in found.items() if one is not None} or None
    made = value.constant if value.path is None else converted(value, scope, run)
    if made is None and value.required:
        text = value.path.text if value.path else "null"
        raise InvalidInput("missing_field", f"line {value.line}: {value.name} is needed, and {text} is null")
    return made


def converted(value: Value, scope: Scope, run: Bounded) -> Any:
    """What the expression gives, as its field wants it."""
    assert value.path is not None
    raw = evaluate(value.path, scope, run)
    if any(type(raw) is type(null) and raw == null for null in value.null_if):
        return None
    if value.table is not None:
        raw = looked_up(value, raw)
    if raw is None:
        return None
    if value.kind == "time":
        return time_of(value, raw, scope, run)
    if value.kind == "duration":
        return must(value, milliseconds(raw, value.unit), "a number")
    return CHECKS[value.kind](value, raw)


def time_of(value: Value, raw: Any, scope: Scope, run: Bounded) -> int | None:
    """A time, with the durations that the file adds to it."""
    if isinstance(raw, list | dict | bool):
        raise wrong(value, raw, "a time")
    try:
        found = time_ms(raw, value.unit, value.zone)
    except InvalidInput as error:
        raise InvalidInput(error.reason, f"line {value.line}: {value.name}: {error.detail}") from None
    for expression in value.plus:
        more = milliseconds(evaluate(expression, scope, run), value.plus_unit)
        if found is None or more is None:
            return None
        found += more
    return found


def looked_up(value: Value, raw: Any) -> Any:
    """What the table says for a value. Raises InvalidInput where it says nothing and the file says refuse."""
    assert value.table is not None
    if isinstance(raw, list | dict):
        raise wrong(value, raw, "a key of its table")
    found = value.table.get("null" if raw is None else key_text(raw), NOTHING)
    if found is not NOTHING:
        return found
    if value.otherwise is NOTHING:
        if raw is None:
            return None
        raise InvalidInput("unknown_value", f"line {value.line}: {value.name}: its table has no such key")
    return value.otherwise


def wrong(value: Value, raw: Any, expected: str) -> InvalidInput:
    """A value of the wrong kind; it is not quoted."""
    said = f"line {value.line}: {value.name} is a {type(raw).__name__}, expected {expected}"
    return InvalidInput("wrong_shape", said)


def must(value: Value, made: Any, expected: str) -> Any:
    """A value that could be made. Raises InvalidInput."""
    if made is None:
        said = f"line {value.line}: {value.name} is not {expected}"
        raise InvalidInput("wrong_shape", said)
    return made


def as_text(value: Value, raw: Any) -> str | None:
    """A text, or a number as one: ids are both. An empty one is none."""
    if isinstance(raw, bool | list | dict):
        raise wrong(value, raw, "a text")
    return key_text(raw) or None


def as_number(value: Value, raw: Any) -> int | float:
    """A number; a whole one where it can be."""
    found = number_of(raw) if not isinstance(raw, str) else None
    if found is None:
        raise wrong(value, raw, "a number; number(...) makes one of a text")
    return int(found) if float(found).is_integer() else found


def as_truth(value: Value, raw: Any) -> bool:
    """True or false."""
    if not isinstance(raw, bool):
        raise wrong(value, raw, "true or false; bool(...) makes one of a text")
    return raw


CHECKS = {"text": as_text, "word": as_text, "number": as_number, "truth": as_truth}
