"""The packaged Avro schemas: today's, and every released version, found by fingerprint."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas.events import MODELS


@dataclass(frozen=True, slots=True)
class ForeignField:
    """Which of our fields a field of somebody's schema is, and is it a UUID in 16 bytes?"""

    name: str
    binary_uuid: bool = False


@dataclass(frozen=True, slots=True)
class WriterSchema:
    """A schema that bytes may have been written with, and the event type it describes.

    One that is not ours has `fields`: its own names, and what is to be made of each (schemas.foreign). A
    union has `branches`, None for those that are no events.
    """

    type: str
    parsed: Any
    plain: bool  # its fields are among today's, of the same types: there is nothing to resolve
    fields: Mapping[str, ForeignField] = field(default_factory=dict)
    branches: "tuple[WriterSchema | None, ...]" = ()


def rabin(schema: Any) -> bytes:
    """CRC-64-AVRO of the parsing canonical form: 8 bytes, little endian (Avro specification)."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def load(folder: Traversable) -> Iterator[tuple[str, Any]]:
    """Event type and raw schema of each `*.avsc` in a folder."""
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".avsc"):
            yield file.name.removesuffix(".avsc"), json.loads(file.read_text(encoding="utf-8"))


def raw_schema(type_: str) -> Any:
    """Today's schema of an event type as it stands in the package, docs and defaults included."""
    return json.loads((files("schemas") / "avro" / f"{type_}.avsc").read_text(encoding="utf-8"))


@cache
def current() -> dict[str, Any]:
    """Today's schema of each event type, parsed."""
    return {name: fastavro.parse_schema(raw) for name, raw in load(files("schemas") / "avro")}


@cache
def current_fingerprints() -> dict[str, bytes]:
    """Fingerprint of today's schema of each event type."""
    return {name: rabin(raw) for name, raw in load(files("schemas") / "avro")}


@cache
def released() -> dict[int, dict[str, Any]]:
    """Raw schemas of each released version: version -> event type -> schema."""
    folders = [folder for folder in (files("schemas") / "released").iterdir() if folder.name.isdigit()]
    return {int(folder.name): dict(load(folder)) for folder in folders}


@cache
def by_fingerprint() -> dict[bytes, WriterSchema]:
    """Every schema bytes may carry, old ones first so that today's wins where both are the same."""
    known: dict[bytes, WriterSchema] = {}
    today = dict(load(files("schemas") / "avro"))
    for version in sorted(released()):
        for name, raw in released()[version].items():
            if name in MODELS and raw != today[name]:
                known[rabin(raw)] = WriterSchema(name, fastavro.parse_schema(raw), plain=True)
    for name, raw in today.items():
        known[rabin(raw)] = WriterSchema(name, fastavro.parse_schema(raw), plain=True)
    return known
