"""Kafka records of every kind of badness, for the fuzz of decoder, stages and sink."""

import random
from typing import Any

import orjson
from support.fuzz import PLANTED, damaged
from support.stage_world import World

from schemas.codec import MARKER, encode
from schemas.events import Event
from streams.kafka.record import KeyValue

TEXT = tuple(
    form.replace("NUMBER", PLANTED)
    for form in (
        '{"type":"contact_started","event_id":"e","contact_id":"c","customer_id":"+49 NUMBER"}',
        "customer_id;+49 NUMBER;x",
        "NUMBER",
        '["NUMBER","c"]',
    )
)
ENCODINGS = ("utf-8", "utf-16", "utf-16-be", "utf-32-be", "utf-7", "cp037")
HEADS = (b"", b"\0\0\0\0\1", b"\0\0\0\0\7", MARKER, MARKER + b"\xee" * 4, b"\xff", b"\xff" * 9, b"\xc3")
NUMBERS = (0, -1, 1, 2**31, 2**63 - 1, -(2**63), 2**63, 1.5, True, False)
WORDS = ("", "\0", "\x1b[2J", "a" * 5_000, "\u202e", "'; --", "😀", "c1", PLANTED)
BAD_TIMES = (-1, -(2**63), 2**62, 2**63 - 1)


def text(rng: random.Random) -> bytes:
    """No event at all, with a customer's number in it, in some encoding, behind something that frames."""
    return rng.choice(HEADS) + rng.choice(TEXT).encode(rng.choice(ENCODINGS))


def with_fields(rng: random.Random, event: Event) -> bytes:
    """An event that the schema can hold and the model may refuse: extremes, control characters, no length."""
    names = [name for name in type(event).model_fields if name != "type"]
    change: dict[str, Any] = {}
    for name in rng.choices(names, k=rng.randint(1, 3)):
        value = getattr(event, name)
        if isinstance(value, int):
            change[name] = rng.choice((*BAD_TIMES, 0, 1, value + 1))
        elif isinstance(value, str):
            change[name] = rng.choice(WORDS[:-1])
    if change and rng.random() < 0.3 and hasattr(event, "customer_key"):
        # Refused for its time: then not a word of what it says may stay.
        change |= {"occurred_at": rng.choice(BAD_TIMES), "customer_key": PLANTED, "event_id": PLANTED}
    try:
        return encode(event.model_copy(update=change))
    except ValueError:  # a number that is too large for its field
        return encode(event)


def raw_record(rng: random.Random, event: Event) -> tuple[bytes | None, bytes | None]:
    """Key and value of a record for one of the topics that others write to."""
    key: bytes | None = str(getattr(event, "contact_id", None) or getattr(event, "agent", "")).encode()
    kind = rng.random()
    if kind < 0.25:
        value: bytes | None = encode(event)
    elif kind < 0.5:
        value = damaged(rng, encode(event))
    elif kind < 0.7:
        value = with_fields(rng, event)
    elif kind < 0.9:
        value = text(rng)
        value = damaged(rng, value) if rng.random() < 0.5 else value
    else:
        value = rng.choice((None, b"", rng.randbytes(rng.randrange(60)), encode(event) * 2))
    if rng.random() < 0.15:
        key = rng.choice((None, b"", b"\xff", PLANTED.encode(), key + b"\0", rng.randbytes(4)))
    return key, value


def changed(rng: random.Random, value: Any) -> Any:
    """A JSON value with something in it replaced, taken away or wrapped."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        name = rng.choice([*value])
        if rng.random() < 0.15:
            return {k: v for k, v in value.items() if k != name}
        return value | {name: changed(rng, value[name])}
    if isinstance(value, list) and value and rng.random() < 0.85:
        place = rng.randrange(len(value))
        if rng.random() < 0.15:
            return value[:place] + value[place + 1 :]
        return [*value[:place], changed(rng, value[place]), *value[place + 1 :]]
    return rng.choice((None, [], {}, [value], {"a": value}, rng.choice(NUMBERS), rng.choice(WORDS)))


def json_changed(rng: random.Random, data: bytes) -> bytes:
    """The same of bytes; what is no JSON is damaged."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return damaged(rng, data)
    for _ in range(rng.choice((1, 1, 2))):
        document = changed(rng, document)
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError:  # an integer of more than 64 bits
        return data


def alien_record(rng: random.Random, ours: KeyValue) -> tuple[bytes | None, bytes | None]:
    """A record for a topic that only Ringback writes, made of one of ours."""
    key, value = ours
    kind = rng.random()
    if kind < 0.35:
        return key, json_changed(rng, value or b"")
    if kind < 0.55:
        return json_changed(rng, key), value
    if kind < 0.65:
        return json_changed(rng, key), json_changed(rng, value or b"")
    if kind < 0.8:
        return key, damaged(rng, value or b"x")
    if kind < 0.9:
        return rng.choice((key, text(rng), None)), text(rng)
    return rng.choice((key, None, b"", b"\xff")), rng.choice((value, None, b"", b"null", b"[]", b"{}"))


def events_of(world: World) -> list[Event]:
    """All that happened in a world."""
    return [*world.contacts, *world.states]
