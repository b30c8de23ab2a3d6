"""Avro bodies of events, by a plan for each type: the bytes of any other encoder, in a third of its time.

An encoder for every schema looks at each value to find its branch of a union. Events are checked before they
are written, so here nothing is looked at but what Avro's encoding is made of: a length and UTF-8, zigzag
numbers of seven bits a byte, and the number of a branch.
"""

from collections.abc import Callable
from functools import cache
from operator import call, itemgetter
from typing import Any

from schemas.avro_schemas import current

Write = Callable[[Any], bytes]
# Avro's numbers have seven bits a byte, the lowest first, and an eighth that says that more follow. Two bytes
# at once: as the end of a number, and where more follow.
PAIR = 1 << 14
END = tuple(bytes((pair,)) if pair < 0x80 else bytes((pair & 0x7F | 0x80, pair >> 7)) for pair in range(PAIR))
FOLLOWED = tuple(bytes((pair & 0x7F | 0x80, pair >> 7 | 0x80)) for pair in range(PAIR))
SMALL = END[::2][:2048]  # lengths, legs and counts: nearly all numbers
SMALL_END = len(SMALL)
TEXT_BEGIN = tuple(b"\x02" + length for length in SMALL)  # branch and length of a string that may be null
WIDE = "revision_wide"


def number(value: int) -> bytes:
    """Avro's int and long: zigzag, so that small numbers are short whatever their sign."""
    if 0 <= value < SMALL_END:
        return SMALL[value]
    return unsigned(value * 2 if value >= 0 else -2 * value - 1)


def unsigned(value: int) -> bytes:
    """Seven bits a byte."""
    if value < PAIR:
        return END[value]
    low, high = value & 0xFFFFFFF, value >> 28  # times are four bytes, and two or three
    if not high:
        return FOLLOWED[low & 0x3FFF] + END[low >> 14]
    return FOLLOWED[low & 0x3FFF] + FOLLOWED[low >> 14] + (END[high] if high < PAIR else unsigned(high))


def text(value: str) -> bytes:
    """Avro's string."""
    data = value.encode()
    return (SMALL[len(data)] if len(data) < SMALL_END else number(len(data))) + data


def boolean(value: bool) -> bytes:
    """Avro's boolean."""
    return b"\x01" if value else b"\x00"


def texts(value: dict[str, str]) -> bytes:
    """Avro's map of strings: one block, then the block of none that ends it."""
    if not value:
        return b"\x00"
    pairs = b"".join(text(name) + text(item) for name, item in value.items())
    return number(len(value)) + pairs + b"\x00"


def or_null(write: Write) -> Write:
    """Avro's union of null and something."""

    def written(value: Any) -> bytes:
        return b"\x00" if value is None else b"\x02" + write(value)

    return written


def text_or_null(value: str | None) -> bytes:
    """The same of strings, which are most of them, without a second call."""
    if value is None:
        return b"\x00"
    data = value.encode()
    length = len(data)
    return (TEXT_BEGIN[length] if length < SMALL_END else b"\x02" + number(length)) + data


PLAIN: dict[str, Write] = {"string": text, "int": number, "long": number, "boolean": boolean}


def writer_of(schema: Any) -> Write:
    """What writes values of a field. Raises KeyError, ValueError for types that no schema of ours has."""
    if isinstance(schema, list):
        null, other = schema
        if null != "null":
            raise ValueError(f"a union that does not begin with null: {schema}")
        return text_or_null if other == "string" else or_null(writer_of(other))
    if isinstance(schema, dict):
        if schema["type"] == "map" and schema["values"] == "string":
            return texts
        return PLAIN[schema["type"]]
    return PLAIN[schema]


@cache
def plan(type_: str) -> tuple[Callable[[dict[str, Any]], tuple[Any, ...]], tuple[Write, ...]]:
    """What takes the values out of an event of a type, and what writes each.

    An event has every field of its schema but the last, revision_wide.
    """
    *fields, last = current()[type_]["fields"]
    if last["name"] != WIDE:
        raise ValueError(f"the schema of {type_} does not end with {WIDE}")
    return itemgetter(*(field["name"] for field in fields)), tuple(
        writer_of(field["type"]) for field in fields
    )


def avro_body(type_: str, fields: dict[str, Any]) -> bytes:
    """The Avro body of an event with these fields, revision_wide being 0 where it is not among them."""
    values, writers = plan(type_)
    return b"".join(map(call, writers, values(fields))) + number(fields.get(WIDE, 0))
