"""A block of AMI, `Name: value` lines up to an empty one, as texts by name.

A name may come again (the first value counts), a value may be empty or hold colons, and the space behind the
colon may be missing. Bytes that are no UTF-8 are Latin-1: no event is lost for one letter in a name.
"""

import re
from datetime import UTC, datetime

from adapters.app_queue.facts import decoded
from adapters.kit.outcomes import InvalidInput
from schemas.event_fields import OCCURRED_AT_MAX, OCCURRED_AT_MIN
from schemas.shape import quoted

Block = dict[str, str]
TIMESTAMP = re.compile(r"(\d{9,10})(?:\.(\d{1,9}))?", re.ASCII)
NAME = re.compile(rb"[A-Za-z][\w() -]*:")
MICROSECONDS = 1_000_000


def parse_block(lines: list[bytes]) -> Block:
    """The fields of a block."""
    block: Block = {}
    for line in lines:
        name, found, value = decoded(line).partition(":")
        if found:
            block.setdefault(name.strip(), value.strip())
    return block


def time_ms(block: Block, received: datetime | None = None) -> int:
    """When it happened, UTC milliseconds; unless AMI says it, when it was received. Raises InvalidInput."""
    text = block.get("Timestamp", "")
    found = TIMESTAMP.fullmatch(text)
    if not text and received is not None:
        return int(received.astimezone(UTC).timestamp() * 1000)
    if not text:
        raise InvalidInput("no_time", "no Timestamp; set timestampevents = yes in manager.conf, [general]")
    at_ms = int(found[1]) * 1000 + int((found[2] or "0").ljust(3, "0")[:3]) if found else 0
    if not OCCURRED_AT_MIN <= at_ms < OCCURRED_AT_MAX:
        raise InvalidInput("bad_time", f"Timestamp is {quoted(text)}, expected seconds since 1970")
    return at_ms
