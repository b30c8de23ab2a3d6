"""Avro bodies of our own schemas, written in half the time of fastavro's general writer.

Worker and sink encode every event once, for its canonical bytes (ADR 0016). Our schemas have flat records of
strings, whole numbers, booleans and maps of strings, each of which may be null: that little of Avro is here.
Nothing is checked, the models have done that. Tests compare with fastavro and with the Apache reader.
"""

from collections.abc import Callable, Mapping
from typing import Any

Write = Callable[[Any], bytes]
BodyWriter = Callable[[Mapping[str, Any]], bytes]

NULL, PRESENT = b"\x00", b"\x02"  # branch of ["null", something]
END_OF_MAP = b"\x00"
FALSE, TRUE = b"\x00", b"\x01"


def varint(value: int) -> bytes:
    """A number as Avro's int and long: zigzag, then seven bits a byte, the least first."""
    rest = value << 1 if value >= 0 else (-value << 1) - 1
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


SMALL = tuple(varint(value) for value in range(2**13))


def number(value: int) -> bytes:
    """A whole number; legs, counts, lengths and most seconds' worth of milliseconds are looked up."""
    if 0 <= value < 2**13:
        return SMALL[value]
    if not 2**34 <= value < 2**41:
        return varint(value)
    # Today's times in milliseconds: six bytes, spelled out since each event has one.
    rest = value << 1
    return bytes(
        (
            rest & 0x7F | 0x80,
            rest >> 7 & 0x7F | 0x80,
            rest >> 14 & 0x7F | 0x80,
            rest >> 21 & 0x7F | 0x80,
            rest >> 28 & 0x7F | 0x80,
            rest >> 35,
        )
    )


def text(value: str) -> bytes:
    """A string: its length in bytes, then UTF-8."""
    data = value.encode()
    return number(len(data)) + data


def flag(value: bool) -> bytes:
    """A boolean."""
    return TRUE if value else FALSE


def texts(value: Mapping[str, str]) -> bytes:
    """A map of strings: one block, in the order given."""
    if not value:
        return END_OF_MAP
    return number(len(value)) + b"".join([text(k) + text(v) for k, v in value.items()]) + END_OF_MAP


def or_null(write: Write) -> Write:
    """A writer of ["null", something]."""

    def write_either(value: Any) -> bytes:
        return NULL if value is None else PRESENT + write(value)

    return write_either


def writer_of(type_: Any) -> Write:
    """The writer of a field's type. Raises ValueError for a type that our schemas do not use."""
    if isinstance(type_, list) and len(type_) == 2 and type_[0] == "null":
        return or_null(writer_of(type_[1]))
    if isinstance(type_, dict) and type_.get("type") == "map" and type_["values"] == "string":
        return texts
    known: dict[str, Write] = {"string": text, "int": number, "long": number, "boolean": flag}
    if isinstance(type_, str) and type_ in known:
        return known[type_]
    raise ValueError(f"schemas/avro_writer.py cannot write {type_}; its docstring says what it can")


def record_writer(schema: Any) -> BodyWriter:
    """A writer of a schema's records: fields by name to the body; one that is left out has its default."""
    plan = [(field["name"], writer_of(field["type"]), field.get("default")) for field in schema["fields"]]

    def write_record(fields: Mapping[str, Any]) -> bytes:
        given = fields.get
        return b"".join([write(given(name, default)) for name, write, default in plan])

    return write_record
