"""Raw events into ClickHouse without decoding them here: text of the statements, made from the schemas.

ClickHouse reads the Avro bodies itself, behind a header and beside what was known of each record
(maintenance.raw_container). That is right only for canonical bytes of an event that its model would take. So
each statement looks at every row and, where one could be anything else, refuses all of them: who sends them
then goes the slow way, which says what is what. Looked at is what the model says of each field, that strings
are UTF-8, and that the body is as long as canonical bytes of these values: a number that is spelled longer, a
map in two blocks, bytes left over or cut off make it another length.
"""

# ruff: noqa: S608 -- names and values are ours

from collections.abc import Iterator, Mapping
from functools import cache
from struct import calcsize
from typing import Any

from schemas.avro_schemas import current
from schemas.codec import HEADER_BYTES, INT_MAX
from schemas.events import MODELS

# What stands before each body: Kafka's key, the place and time of the record, and the event as it was sent.
# Partition, offset and time (UTC ms) are packed as struct's PLACE: numbers as Avro spells them take longer.
PLACE = "<Iqq"
BESIDE: dict[str, Any] = {
    "raw_key": "bytes",
    "raw_place": {"type": "fixed", "name": "Place", "size": calcsize(PLACE)},
    "raw_canonical": "bytes",
}
PARTITION, OFFSET, AT = (
    f"reinterpretAs{kind}(substring(raw_place, {begin}, {size}))"
    for kind, begin, size in (("UInt32", 1, 4), ("Int64", 5, 8), ("Int64", 13, 8))
)
WIDE, LONG_MAX = "revision_wide", 2**63 - 1
MAP = {"type": "map", "values": "string"}
COLUMN_OF = {"string": "String", "bytes": "String", "int": "Int64", "long": "Int64", "boolean": "Int64"}


def plain(type_: Any) -> tuple[Any, bool]:
    """The type of a field, and whether it may be null."""
    return (type_[1], True) if isinstance(type_, list) else (type_, False)


@cache
def wrapper(type_: str) -> dict[str, Any]:
    """The schema that a body of an event type is read by, behind what stands beside it.

    A boolean is read as the number it is written as, since any byte but 0 reads as true.
    """
    fields = [{"name": name, "type": kind} for name, kind in BESIDE.items()]
    for field in current()[type_]["fields"]:
        kind = "int" if field["type"] == "boolean" else field["type"]
        fields.append({"name": field["name"], "type": kind})
    return {"type": "record", "name": "Raw", "fields": fields}


def structure(type_: str) -> str:
    """The same as columns of ClickHouse."""
    return ", ".join(f"{name} {column}" for name, column in columns(type_))


def columns(type_: str) -> Iterator[tuple[str, str]]:
    """Name and type of each column."""
    for name, kind in BESIDE.items():
        yield name, COLUMN_OF[kind] if kind == "bytes" else f"FixedString({kind['size']})"
    for field in current()[type_]["fields"]:
        kind, null = plain(field["type"])
        column = "Map(String, String)" if kind == MAP else COLUMN_OF[kind]
        yield field["name"], f"Nullable({column})" if null and kind != MAP else column


def number_bytes(value: str, least: int, most: int) -> str:
    """How many bytes Avro's number takes: an expression, for values within these bounds.

    Seven bits a byte, of twice the value: one more byte from 64 on, from 8,192 on, and of -65 and less.
    """
    limits = [1 << 7 * n - 1 for n in range(1, 10) if 1 << 7 * n - 1 <= max(most, -least - 1)]
    surely = 1 + sum(limit <= least for limit in limits)
    more = (f"({value} >= {limit})" for limit in limits if least < limit <= most)
    less = (f"({value} < -{limit})" for limit in limits if -limit > least)
    return " + ".join([str(surely), *more, *less])


def text_bytes(value: str) -> str:
    """How many bytes a string of up to 1,024 takes with its length."""
    return f"1 + (length({value}) >= 64) + length({value})"


def map_bytes(name: str) -> str:
    """How many bytes of a map behind its branch, if it is not empty; an empty one is taken for null."""
    both = f"arrayConcat(mapKeys({name}), mapValues({name}))"
    return f"if(empty({name}), 0, 2 + arraySum(x -> {text_bytes('x')}, {both}))"


def text_rules(value: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """What a string must be: expressions."""
    if "enum" in schema:
        listed = ", ".join(quoted(one) for one in schema["enum"])
        yield f"{value} IN ({listed})"
        return
    yield f"isValidUTF8({value})"
    if "pattern" in schema:
        yield f"match({value}, {quoted(schema['pattern'])})"
    if "maxLength" in schema:
        yield f"lengthUTF8({value}) BETWEEN {schema.get('minLength', 0)} AND {schema['maxLength']}"


def bounds(schema: Mapping[str, Any]) -> tuple[int, int]:
    """The least and the greatest value of a number."""
    most = schema["exclusiveMaximum"] - 1 if "exclusiveMaximum" in schema else schema["maximum"]
    return schema["minimum"], most


def map_rules(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """What a map must be: expressions. Keys in order, and each once."""
    ((pattern, values),) = schema["patternProperties"].items()
    yield f"length({name}) <= {schema['maxProperties']}"
    yield f"arrayAll(x -> match(x, {quoted(pattern)}), mapKeys({name}))"
    yield f"arraySort(arrayDistinct(mapKeys({name}))) = mapKeys({name})"
    yield f"arrayAll(x -> {' AND '.join(text_rules('x', values))}, mapValues({name}))"


def quoted(text: str) -> str:
    """A string of ours in SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def of_field(name: str, avro: Any, schema: Mapping[str, Any]) -> tuple[list[str], str]:
    """What a field must be, and how many bytes it takes: expressions."""
    kind, null = plain(avro)
    if kind == MAP:
        return [*map_rules(name, schema)], f"1 + {map_bytes(name)}"
    value = f"assumeNotNull({name})" if null else name
    if kind == "boolean":
        rules, size = [f"{name} IN (0, -1)"], "1"
    elif kind == "string":
        rules, size = [*text_rules(value, schema)], text_bytes(value)
    else:
        least, most = bounds(schema)
        most = min(most, INT_MAX if kind == "int" else LONG_MAX)
        rules, size = [f"{value} BETWEEN {least} AND {most}"], number_bytes(value, least, most)
    if not null:
        return rules, size
    return [f"(isNull({name}) OR ({' AND '.join(rules)}))"], f"1 + if(isNull({name}), 0, {size})"


def described(type_: str) -> dict[str, Mapping[str, Any]]:
    """What the model says of each field, as JSON schema; of one that may be null what it is if it is not."""
    found = MODELS[type_].model_json_schema()["properties"]
    return {name: schema["anyOf"][0] if "anyOf" in schema else schema for name, schema in found.items()}


@cache
def clean(type_: str) -> str:
    """The condition that a row is an event as the slow way would store it."""
    known = described(type_)
    rules = [
        f"({WIDE} = 0 OR (revision = {INT_MAX} AND {WIDE} > {INT_MAX}))",
        "raw_key = contact_id",
    ]
    sizes = [str(HEADER_BYTES)]
    for field in current()[type_]["fields"]:
        schema = {"minimum": 0, "maximum": LONG_MAX} if field["name"] == WIDE else known[field["name"]]
        own, size = of_field(field["name"], field["type"], schema)
        rules += own
        sizes.append(size)
    return " AND ".join([*rules, f"length(raw_canonical) = {' + '.join(f'({size})' for size in sizes)}"])


def selected(name: str, type_: str) -> str:
    """A column of `events` from the field of its name."""
    avro = {field["name"]: field["type"] for field in current()[type_]["fields"]}[name]
    if name == "occurred_at":
        return "fromUnixTimestamp64Milli(occurred_at, 'UTC')"
    return f"-{name}" if avro == "boolean" else name


def staging(writer: int) -> str:
    """The table that one of several writers reads bodies of an event type into before they are looked at."""
    return f"raw_in_{writer}"


def create_staging(type_: str, table: str) -> str:
    """Makes it: in memory, for a moment."""
    return f"CREATE TABLE {table} ({structure(type_)}) ENGINE = Memory"


def insert_events(type_: str, event_columns: tuple[str, ...], table: str) -> str:
    """INSERT of what was read into `events`; refuses all rows where one is not clean."""
    names = [f["name"] for f in current()[type_]["fields"] if f["name"] in event_columns]
    values = ", ".join(selected(name, type_) for name in names)
    return (
        f"INSERT INTO events (type, canonical, {', '.join(names)}) "
        f"SELECT '{type_}', raw_canonical, {values} FROM {table} "
        f"WHERE throwIf(NOT ({clean(type_)}), 'not canonical') = 0"
    )


def insert_arrivals(type_: str, arrival_columns: tuple[str, ...], table: str) -> str:
    """The same into `arrivals`, when each came, and where it lies; of rows that are known to be clean."""
    own = {
        "partition": PARTITION,
        "offset": OFFSET,
        "type": f"'{type_}'",
        "occurred_at": "fromUnixTimestamp64Milli(occurred_at, 'UTC')",
        "arrived_at": f"fromUnixTimestamp64Milli(greatest({AT}, 0), 'UTC')",
    }
    values = ", ".join(own.get(name, name) for name in arrival_columns)
    return f"INSERT INTO arrivals ({', '.join(arrival_columns)}) SELECT {values} FROM {table}"
