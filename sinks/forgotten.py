"""Who was forgotten, as ClickHouse keeps it, and records of before that tell of them."""

import base64
from typing import Any

import orjson
from aiokafka import ConsumerRecord
from clickhouse_connect.driver.client import Client

from schemas.forgotten import KEY_NAME, Ledger, person_document, read_ledger
from schemas.shape import shape
from schemas.topics import CONTACT_FACTS, FCR_FACTS

COLUMNS = ("digest", "document", "version")
FORGOTTEN_DETAIL = "names a customer who was forgotten"


def ledger_documents(ledger: Ledger) -> list[tuple[str, Any]]:
    """All of a ledger as it is stored."""
    people = [(name, person_document(person)) for name, person in ledger.people.items()]
    return [(KEY_NAME, {"key": ledger.key.hex()}), *people] if ledger.key else people


def ledger_rows(documents: list[tuple[str, Any]], now_ms: int) -> list[list[Any]]:
    """Rows of table `forgotten`."""
    return [[name, orjson.dumps(document).decode(), now_ms] for name, document in documents]


def kept_ledger(client: Client) -> Ledger:
    """The ledger that ClickHouse has. Raises ClickHouseError, ValueError."""
    rows = client.query("SELECT digest, document FROM forgotten FINAL").result_rows
    return read_ledger((name, orjson.loads(document)) for name, document in rows)


def without_forgotten(record: ConsumerRecord, document: Any, ledger: Ledger) -> Any:
    """An output record as it is since a customer was forgotten; None where another record stands for it.

    Raises TypeError, KeyError where it is no record of Ringback.
    """
    if record.topic == FCR_FACTS:
        customer = document["customer_key"]
        old = ledger.outdated(customer, record.topic, record.partition, record.offset)
        return None if old else document
    if record.topic != CONTACT_FACTS or document["contact"] is None:
        return document
    customer = document["contact"]["customer_key"]
    if not ledger.outdated(customer, record.topic, record.partition, record.offset):
        return document
    return document | {"contact": document["contact"] | {"customer_key": ledger.last_name(customer)}}


def letter_without_forgotten(value: bytes, ledger: Ledger) -> bytes:
    """A dead letter, of whose payload only the shape is kept where it names somebody who was forgotten."""
    document = orjson.loads(value)
    payload = base64.b64decode(document["payload"])
    if ledger.names_one(payload):
        document["payload"] = base64.b64encode(shape(payload)).decode()
    if ledger.names_one(str(document["detail"]).encode()):
        document["detail"] = FORGOTTEN_DETAIL
    return orjson.dumps(document)
