"""Notifications to be tried again, of evaluators on several machines: asked for in the ledger's topic.

Each is asked for with the time at which it was given up. So whoever takes it, and takes it again after the
voice has passed on, does so once: what is given up anew is given up at another time.
"""

from typing import NamedTuple

import orjson

from alerts.ledger_tables import OUTBOX_COLUMNS
from alerts.ledger_topic import read_all, write_all

ASKED = "retry"  # what names such a record


class Retry(NamedTuple):
    """A notification that was given up, and when, UTC ms."""

    id: str
    given_up_at: int


def retry_in(key: bytes | None, value: bytes | None) -> Retry | None:
    """What a record asks for; None for what is no such record."""
    if key is None or value is None or not key.startswith(f'["{ASKED}",'.encode()):
        return None
    return Retry(orjson.loads(key)[1], orjson.loads(value))


def given_up(records: dict[bytes, bytes], id_: str | None) -> list[Retry]:
    """What was given up by the ledger in Kafka: one notification, or all of them."""
    found = []
    for key, value in records.items():
        if not key.startswith(b'["outbox",'):
            continue
        row = dict(zip(OUTBOX_COLUMNS, orjson.loads(value), strict=False))
        if row["state"] == "dead" and id_ in (None, row["id"]):
            found.append(Retry(row["id"], row["done_at"]))
    return found


def ask_again(servers: str, id_: str | None) -> int:
    """Ask for what was given up to be tried again: one, or all; how many. Raises KafkaException."""
    found = given_up(read_all(servers), id_)
    write_all(servers, {orjson.dumps([ASKED, each.id]): orjson.dumps(each.given_up_at) for each in found})
    return len(found)
