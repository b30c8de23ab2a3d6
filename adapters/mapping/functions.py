"""The functions that an expression may call: a closed set, each of which ends soon and makes little."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from jmespath import functions

from adapters.mapping.times import local, number_of, time_ms, zone_of
from schemas.customer_key import customer_key

# Of JMESPath's own; to_string and join could make texts without end out of a short expression.
BUILT_IN = (
    *("abs", "ceil", "contains", "ends_with", "floor", "keys", "length", "map", "max", "max_by", "min"),
    *("min_by", "not_null", "reverse", "sort", "sort_by", "starts_with", "sum", "to_array", "type", "values"),
)
Tables = Mapping[str, Mapping[str, Any]]
TEXT_OR_NULL = {"types": ["string", "null"]}
SCALAR = {"types": ["string", "number", "boolean", "null"]}


def key_text(key: Any) -> str:
    """How a key stands in a table: true and false as YAML writes them, 4.0 as 4."""
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, float) and key.is_integer():
        return str(int(key))
    return str(key)


Method = TypeVar("Method", bound=Callable[..., Any])


def takes(*kinds: dict[str, list[str]]) -> Callable[[Method], Method]:
    """Says which kinds of value a function takes; JMESPath looks them up."""
    marked: Callable[[Method], Method] = functions.signature(*kinds)
    return marked


class Functions(functions.Functions):  # type: ignore[misc]
    """What one mapping's expressions may call. `secret` is the key of the customer hashes."""

    def __init__(self, tables: Tables, secret: bytes) -> None:
        self.tables = tables
        self.secret = secret

    @takes(SCALAR, {"types": ["string"]}, TEXT_OR_NULL)
    def _func_time(self, value: Any, unit: str, zone: str | None) -> int | None:
        """A time in UTC milliseconds; the zone is that of times without an offset, or null."""
        return time_ms(value, unit, zone_of(zone))

    @takes(SCALAR, {"types": ["string"]}, TEXT_OR_NULL)
    def _func_day(self, value: Any, unit: str, zone: str | None) -> str | None:
        """The date of a time in a zone, of UTC where that is null."""
        found = time_ms(value, unit, zone_of(zone))
        return None if found is None else f"{local(found, zone_of(zone)):%Y-%m-%d}"

    @takes(SCALAR)
    def _func_number(self, value: Any) -> int | float | None:
        """The number that a text is; null where it is none."""
        return number_of(value)

    @takes(SCALAR)
    def _func_bool(self, value: Any) -> bool | None:
        """True and false, also as text ("False", "0", "no"); null where it is neither."""
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
            key_text(value).strip().lower()
        )

    @takes(SCALAR)
    def _func_text(self, value: Any) -> str | None:
        """A number or a truth as a text."""
        return None if value is None else key_text(value)

    @takes({"types": ["array", "null"]})
    def _func_merged(self, found: Any) -> dict[str, Any]:
        """One object of a list of objects, later ones over earlier ones."""
        return {name: value for item in found or () if isinstance(item, dict) for name, value in item.items()}

    @takes({"types": ["string"]}, SCALAR)
    def _func_lookup(self, table: str, key: Any) -> Any:
        """What a table of the mapping says for a key; null where it says nothing."""
        return self.tables.get(table, {}).get(key_text(key))

    @takes(SCALAR)
    def _func_digits(self, value: Any) -> str | None:
        """The digits in a text; null where there are none."""
        return "".join(c for c in key_text(value) if c in "0123456789") or None if value is not None else None

    @takes({"types": []}, {"types": []})
    def _func_default(self, value: Any, other: Any) -> Any:
        """The value, or another where it is null or an empty text; false and 0 are values."""
        return other if value is None or value == "" else value

    @takes(TEXT_OR_NULL)
    def _func_lower(self, value: str | None) -> str | None:
        """A text in lower case."""
        return None if value is None else value.lower()

    @takes(TEXT_OR_NULL, {"types": ["string"]}, {"types": ["string"]})
    def _func_between(self, value: str | None, start: str, end: str) -> str | None:
        """What stands in a text between two others; null where they do not stand in it."""
        _, found, rest = (value or "").partition(start)
        inside, ended, _ = rest.partition(end) if end else (rest, "end", "")
        return inside if found and ended else None

    @takes(TEXT_OR_NULL, {"types": ["string"]})
    def _func_split(self, value: str | None, separator: str) -> list[str]:
        """The pieces of a text."""
        return value.split(separator) if value and separator else []

    @takes(TEXT_OR_NULL)
    def _func_json(self, value: str | None) -> Any:
        """What a text says that is JSON itself; null where it is none."""
        try:
            return orjson.loads(value or "null")
        except orjson.JSONDecodeError:
            return None

    @takes({"types": ["number", "null"]}, {"types": ["number", "null"]})
    def _func_minus(self, first: Any, second: Any) -> Any:
        """A difference; null where a side is null."""
        return None if first is None or second is None else first - second

    @takes(SCALAR)
    def _func_hashed(self, value: Any) -> str | None:
        """The key of a customer, where one must stand in an id; null where nobody is named."""
        return None if value is None or value == "" else customer_key(key_text(value), self.secret)

    @takes({"types": ["array", "string"]}, SCALAR)
    def _func_contains(self, subject: Any, search: Any) -> bool:
        """Is it in a list or a text?"""
        if isinstance(subject, str):
            return isinstance(search, str) and search in subject
        return any(type(item) is type(search) and item == search for item in subject)


OWN = tuple(sorted(name[6:] for name in vars(Functions) if name.startswith("_func_")))
ALLOWED = frozenset(BUILT_IN + OWN)


def arity_fault(name: str, given: int) -> str:
    """What is wrong with a call, "" for nothing."""
    if name not in ALLOWED:
        return f"there is no function {name}(); there are {', '.join(sorted(ALLOWED))}"
    taken = Functions.FUNCTION_TABLE[name]["signature"]
    variadic = bool(taken and taken[-1].get("variadic"))
    if given == len(taken) or (variadic and given >= len(taken)):
        return ""
    return f"{name}() takes {len(taken)} values, not {given}"
