"""Dead letters: input that is no event, with where it came from, why it was refused, and its bytes."""

import base64
from dataclasses import dataclass

import orjson

# Enough to see what is wrong and, for any honest event, to send it again after a fix.
PAYLOAD_MAX_BYTES = 64 * 1024


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
