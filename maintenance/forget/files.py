"""Files of events: Avro containers, Parquet and JSON lines, written anew where a customer stands in them."""

import gzip
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

import orjson

from adapters.events.json_lines import hashed
from adapters.events.times import to_ms
from adapters.kit.lines import GZIP_MAGIC
from adapters.kit.outcomes import InvalidInput, WrongFile
from adapters.kit.unzip import ZIP_MAGIC
from maintenance.container import ContainerWriter, is_container, read_container
from maintenance.parquet import has_canonical, is_parquet, read_parquet, write_parquet
from schemas.codec import DecodeError, encode
from schemas.events import AgentStateChanged, Event
from schemas.forgotten import Ledger

CUSTOMER = re.compile(rb'"customer_(?:id|key)"')


def rewrite_file(path: Path, ledger: Ledger, secret: bytes, dry_run: bool = False) -> int:
    """How many events of the file were of somebody who was forgotten; if any, it is written anew.

    It appears when it is complete, with the rights it had. Raises WrongFile, OSError, ClickHouseError.
    """
    if is_container(path):
        return _replaced(path, dry_run, lambda file: _container(path, file, ledger))
    if is_parquet(path):
        return _parquet(path, ledger, secret, dry_run)
    with path.open("rb") as file:
        packed = file.read(4)
    if packed == ZIP_MAGIC:
        raise WrongFile(f"{path.name} is a zip archive: unpack it, and name what was in it")
    copy = _packed if packed[:2] == GZIP_MAGIC else _plain
    return _replaced(path, dry_run, lambda file: copy(path, file, ledger, secret))


def _replaced(path: Path, dry_run: bool, write: Callable[[BinaryIO], int]) -> int:
    """Write a file beside, and put it in its place if anything in it is other."""
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("xb") as file:
            changed = write(file)
            file.flush()
            os.fsync(file.fileno())
        if changed and not dry_run:
            beside.chmod(path.stat().st_mode & 0o777)
            os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return changed


def known(path: Path, found: Iterator[Event | DecodeError]) -> Iterator[Event]:
    """Events; what is none could not be written again. Raises WrongFile."""
    for number, item in enumerate(found, 1):
        if isinstance(item, DecodeError):
            raise WrongFile(
                f"{path.name}: record {number:,} is no event ({item.reason}): the file is left as it was; "
                "take the record out or delete the file"
            )
        yield item


def _container(path: Path, file: BinaryIO, ledger: Ledger) -> int:
    writer, changed = ContainerWriter(file), 0
    for event in known(path, read_container(path)):
        renamed = ledger.applied(event)
        changed += renamed is not event
        writer.add(encode(renamed))
    writer.flush()
    return changed


def _parquet(path: Path, ledger: Ledger, secret: bytes, dry_run: bool) -> int:
    events = [*known(path, read_parquet(path, secret))]
    renamed = [ledger.applied(event) for event in events]
    changed = sum(new is not old for new, old in zip(renamed, events, strict=True))
    if not changed or dry_run:
        return changed
    if not has_canonical(path):
        raise WrongFile(
            f"{path.name} has no column canonical: Ringback cannot write it anew. Delete "
            "the customer's rows in it by what wrote it"
        )
    table = "agent_events" if isinstance(events[0], AgentStateChanged) else "events"
    beside = path.with_name(f"{path.name}.part")
    try:
        write_parquet(beside, table, [encode(event) for event in renamed])
        beside.chmod(path.stat().st_mode & 0o777)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return changed


def _lines(source: Iterable[bytes], into: IO[bytes] | gzip.GzipFile, ledger: Ledger, secret: bytes) -> int:
    """Copy lines; those of somebody who was forgotten name the pseudonym."""
    changed = 0
    for line in source:
        renamed = _line(line, ledger, secret)
        changed += renamed is not line
        into.write(renamed)
    return changed


def _plain(path: Path, file: BinaryIO, ledger: Ledger, secret: bytes) -> int:
    with path.open("rb") as source:
        return _lines(source, file, ledger, secret)


def _packed(path: Path, file: BinaryIO, ledger: Ledger, secret: bytes) -> int:
    with gzip.open(path, "rb") as source, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as into:
        return _lines(source, into, ledger, secret)


def _line(line: bytes, ledger: Ledger, secret: bytes) -> bytes:
    if not CUSTOMER.search(line):
        return line
    try:
        fields = orjson.loads(line)
        known_fields = hashed(fields, secret) if isinstance(fields, dict) else {}
        customer = known_fields.get("customer_key")
        if not isinstance(customer, str) or ledger.person(customer) is None:
            return line
        name = ledger.name_of(customer, to_ms(fields["occurred_at"]))
    except (orjson.JSONDecodeError, InvalidInput, KeyError):
        return line
    if name == customer:
        return line
    return orjson.dumps(known_fields | {"customer_key": name}, option=orjson.OPT_APPEND_NEWLINE)
