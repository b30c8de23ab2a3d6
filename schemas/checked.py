"""Dataclasses made of JSON that somebody else may have written: every field of the type that it must have."""

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def plain_types(hint: Any) -> frozenset[type]:
    """Types that a value of JSON may have for this annotation."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return frozenset().union(*map(plain_types, get_args(hint)))
    if origin is Literal:
        return frozenset(type(value) for value in get_args(hint))
    if origin in (tuple, list, frozenset):
        return frozenset((list, tuple))
    if origin is dict:
        return frozenset((dict,))
    if hint is int:
        return frozenset((int, bool))  # of yes and no JSON knows the latter
    return frozenset((NoneType if hint is None else hint,))


@cache
def types_of(kind: type) -> dict[str, frozenset[type]]:
    """Types that the fields of a dataclass may have."""
    hints = get_type_hints(kind)
    return {field.name: plain_types(hints[field.name]) for field in fields(kind)}


def check(kind: type, values: Mapping[str, Any]) -> None:
    """Raise TypeError where a field is missing or of another type."""
    for name, allowed in types_of(kind).items():
        if name not in values or type(values[name]) not in allowed:
            raise TypeError(f"{kind.__name__}.{name} is missing or of a wrong type")


def made(kind: type[T], values: Mapping[str, Any]) -> T:
    """A dataclass of these fields. Raises TypeError."""
    check(kind, values)
    return kind(**values)
