"""Values of a mapping's file, checked against the field that each is to fill."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from adapters.kit.outcomes import InvalidInput
from adapters.mapping.document import Faults, Part
from adapters.mapping.expressions import Expression, compile_expression, truth_in_or
from adapters.mapping.functions import Tables, key_text
from adapters.mapping.targets import Target
from adapters.mapping.times import ISO, UNITS, zone_of
from adapters.mapping.values import NOTHING, Value

KEYS = ("path", "is", "unit", "zone", "null_if", "table", "default", "required", "plus", "plus_unit")
TEXT, TIME = Target("text", True), Target("time", True)


class Reading:
    """What all of a file's parts are checked with: its faults, its tables, and the names of a scope.

    `found` are the expressions that were read.
    """

    def __init__(
        self, faults: Faults, tables: Tables, names: frozenset[str], found: list[Expression] | None = None
    ) -> None:
        self.faults = faults
        self.tables = tables
        self.names = names
        self.found: list[Expression] = [] if found is None else found

    def expression(self, part: Part, condition: bool = False) -> Expression | None:
        """The expression of a part. In a condition `||` may stand between truths."""
        found = compile_expression(part, self.faults, self.names)
        if found:
            self.found.append(found)
        if found and not condition and truth_in_or(found.tree):
            said = (
                "`||` takes false for missing: write default(value, other), or put the condition into `when`"
            )
            self.faults.add(part, said)
        return found

    def known(self, part: Part, words: tuple[str, ...]) -> None:
        """A fault for each key that means nothing."""
        for name in part.items.keys() - {*words}:
            near = get_close_matches(name, words, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(words)}"
            self.faults.add(part.keys[name], f"{name} means nothing here; {hint}")

    def one_of(self, part: Part | None, words: tuple[str, ...], default: str) -> str:
        """A word of a few."""
        if part is None:
            return default
        if part.value not in words:
            self.faults.add(part, f"{part.plain!r} is none of {', '.join(words)}")
            return default
        return str(part.value)

    def truth(self, part: Part | None, name: str, default: bool = False) -> bool:
        """True or false."""
        if part is None:
            return default
        if not isinstance(part.value, bool):
            self.faults.add(part, f"{name} is true or false")
        return part.value is True


def read_value(part: Part, name: str, target: Target, reading: Reading) -> Value:
    """The value that fills a field."""
    if target.kind == "dimensions":
        parts = {key: read_value(each, f"{name}.{key}", TEXT, reading) for key, each in part.items.items()}
        if not parts:
            reading.faults.add(part, f"{name} is a mapping of names to values")
        loose = {key: replace(value, required=False) for key, value in parts.items()}
        return Value("dimensions", name, part.line, parts=loose)
    if target.kind == "contact":
        return Value("contact", name, part.line, required=target.required, ids=read_ids(part, name, reading))
    bare = Value(target.kind, name, part.line, required=target.required)
    if isinstance(part.value, dict):
        return read_spec(part, bare, target, reading)
    if target.kind == "duration":
        reading.faults.add(part, f"{name} is a duration: write {{path: ..., unit: s}}")
    if target.kind == "time":
        reading.faults.add(part, f"{name} is a time: write {{path: ..., unit: iso}}")
    return replace(bare, path=reading.expression(part))


def read_ids(part: Part, name: str, reading: Reading) -> tuple[Value, ...]:
    """The parts of an id."""
    parts = part.value if isinstance(part.value, list) else [part]
    if not parts:
        reading.faults.add(part, f"{name} is a list of expressions")
    return tuple(read_value(each, name, TEXT, reading) for each in parts)


def read_spec(part: Part, bare: Value, target: Target, reading: Reading) -> Value:
    """A value that says more than its path."""
    reading.known(part, KEYS)
    items = part.items
    if "is" in items:
        if len(items) > 1:
            reading.faults.add(part, "`is` stands alone: it is a constant")
        return replace(bare, constant=constant(items["is"], bare, target, reading))
    if "path" not in items:
        reading.faults.add(part, "`path` or `is` is missing")
        return bare
    table, otherwise = read_table(items, bare, target, reading)
    null_if = items["null_if"].plain if "null_if" in items else []
    return replace(
        bare,
        path=reading.expression(items["path"]),
        unit=read_unit(items, part, bare, reading),
        zone=read_zone(items.get("zone"), reading),
        null_if=tuple(null_if if isinstance(null_if, list) else [null_if]),
        table=table,
        otherwise=otherwise,
        required=reading.truth(items.get("required"), "required", bare.required),
        plus=read_plus(items.get("plus"), reading),
        plus_unit=reading.one_of(items.get("plus_unit"), tuple(UNITS), "ms"),
    )


def constant(part: Part, bare: Value, target: Target, reading: Reading) -> Any:
    """A constant that its field can hold."""
    value = part.value
    fits = {
        "text": isinstance(value, str) and value != "",
        "word": value in target.words,
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "truth": isinstance(value, bool),
        "duration": isinstance(value, int) and not isinstance(value, bool) and value >= 0,
    }
    if not fits.get(target.kind, False):
        words = f"one of {', '.join(target.words)}" if target.words else f"a {target.kind}"
        reading.faults.add(part, f"{bare.name} cannot be {value!r}; it is {words}")
    return value


def read_unit(items: Mapping[str, Part], part: Part, bare: Value, reading: Reading) -> str:
    """The unit of a time or duration, which must be said; nothing else has one."""
    given = items.get("unit")
    allowed = (*UNITS, ISO) if bare.kind == "time" else tuple(UNITS)
    if bare.kind not in ("time", "duration"):
        for name in {"unit", "zone", "plus", "plus_unit"} & items.keys():
            reading.faults.add(part.keys[name], f"{name} is for times and durations; {bare.name} is neither")
        return ""
    if given is None:
        reading.faults.add(part, f"{bare.name} needs a unit, one of {', '.join(allowed)}")
        return allowed[0]
    if bare.kind == "time" and isinstance(given.value, str) and "%" in given.value:
        return given.value
    return reading.one_of(given, allowed, allowed[0])


def read_zone(part: Part | None, reading: Reading) -> ZoneInfo | None:
    """A time zone by its name."""
    try:
        return zone_of(str(part.value)) if part else None
    except InvalidInput as error:
        assert part
        reading.faults.add(part, error.detail)
        return None


def read_plus(part: Part | None, reading: Reading) -> tuple[Expression, ...]:
    """Durations that are added to a time."""
    if part is None:
        return ()
    parts = part.value if isinstance(part.value, list) else [part]
    return tuple(found for each in parts if (found := reading.expression(each)))


def read_table(
    items: Mapping[str, Part], bare: Value, target: Target, reading: Reading
) -> tuple[Mapping[str, Any] | None, Any]:
    """The table that a value goes through, named or written out, and what a key gives that is not in it."""
    part, default = items.get("table"), items.get("default")
    if part is None:
        if default is not None:
            reading.faults.add(default, "default belongs to a table; default(value, other) is the function")
        return None, NOTHING
    if isinstance(part.value, dict):
        table: Mapping[str, Any] | None = part.plain
    else:
        table = reading.tables.get(str(part.value))
        if table is None:
            names = ", ".join(sorted(reading.tables)) or "none"
            reading.faults.add(part, f"there is no table {part.value!r}; there are: {names}")
    otherwise = NOTHING if default is None or default.value == "refuse" else default.value
    for word in [*(table or {}).values(), *([] if otherwise is NOTHING else [otherwise])]:
        if target.words and word is not None and key_text(word) not in target.words:
            said = f"{bare.name} cannot be {word!r}; it is one of {', '.join(target.words)}"
            reading.faults.add(part, said)
    return table, otherwise
