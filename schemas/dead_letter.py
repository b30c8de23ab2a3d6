"""Dead letters: input that is no event, with where it came from, why it was refused, and its shape."""

import base64
from dataclasses import dataclass

import orjson

from schemas.shape import shape

# Enough to see what is wrong and, for any honest event, to send it again after a fix.
PAYLOAD_MAX_BYTES = 64 * 1024
CONFLUENT_HEADER_BYTES = 5
LINES_LOST = "lines_lost"  # nobody has read what stood there; the origin is the source, not its log


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One refused input: `origin` is a file or topic[partition], `position` its line or offset.

    `recent`: how many records the worker had seen lately, and how many of them it had refused.
    """

    origin: str
    position: int
    reason: str
    detail: str
    payload: bytes
    recent: tuple[int, int] | None = None


def kept_record(reason: str, value: bytes) -> bytes:
    """What is kept of a refused Kafka record: its bytes if they can be sent again one day, else their shape.

    That day comes with a schema that was not known: such a record is framed Avro. Anything else may be a
    producer's own text with a telephone number in it.
    """
    single = reason == "unknown_fingerprint"  # only bytes with the marker of single-object encoding have one
    confluent = reason in ("unknown_schema_id", "not_single_object") and _is_framed(value)
    return value[:PAYLOAD_MAX_BYTES] if single or confluent else shape(value)


def _is_framed(value: bytes) -> bool:
    """Confluent's header with an id that a registry gives out, and a body: no text of two or four bytes a
    character, which begins with a zero as well."""
    return len(value) > CONFLUENT_HEADER_BYTES and value[:2] == b"\x00\x00" and value[5] != 0


def dead_letter_record(refused: DeadLetter, failed_at: int) -> tuple[bytes, bytes]:
    """Key and value of a record for the topic dead-letters; `failed_at` is wall-clock UTC ms, for people."""
    document = {
        "origin": refused.origin,
        "position": refused.position,
        "reason": refused.reason,
        "detail": refused.detail,
        "payload": base64.b64encode(refused.payload[:PAYLOAD_MAX_BYTES]).decode(),
        "failed_at": failed_at,
    }
    if refused.recent is not None:
        document["recent"] = refused.recent
    return refused.origin.encode(), orjson.dumps(document)
