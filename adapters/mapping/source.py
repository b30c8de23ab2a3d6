"""A mapping as a source: what the registry, the gateway and the commands need of it."""

from functools import cache, partial
from pathlib import Path

from adapters.kit.payloads import PayloadAdapter, customers_in, read_payloads
from adapters.kit.signatures import Scheme
from adapters.kit.source import CustomersOf, Reader, Source
from adapters.mapping.apply import adapter_of
from adapters.mapping.load import load_mapping
from adapters.mapping.rules import Mapped

FOLDER = Path(__file__).with_name("shipped")
SUFFIX = ".yaml"


@cache
def mapped(file: str) -> Mapped:
    """The mapping in a file. Raises BadMapping, OSError."""
    return load_mapping(Path(file))


def source_in(path: Path) -> Source:
    """The source that a mapping describes. Raises BadMapping, OSError."""
    found = mapped(str(path))
    example = f"ringback import {found.name} payloads.jsonl"
    return Source(
        name=found.name,
        title=found.title,
        reads="webhook" if found.scheme else "file",
        summary=f"{found.title}; a file holds one payload a line.",
        example=example if path.parent == FOLDER else f"ringback adapter try {path} payloads.jsonl",
        layout=found.layout,
        reader="",
        customers="",
        gives=found.gives,
        lacks=found.lacks,
        secrets=(f"RINGBACK_SECRET_{found.name.upper()}",) if found.scheme else (),
        adapter="adapters.mapping.source:adapter" if found.scheme else "",
        signature=found.signature,
        challenge=found.challenge,
        mapping=str(path),
    )


def shipped() -> tuple[Source, ...]:
    """The mappings that come with Ringback, in the order of their names."""
    return tuple(source_in(path) for path in sorted(FOLDER.glob(f"*{SUFFIX}")))


@cache
def adapter(file: str) -> PayloadAdapter:
    """How the payloads of a mapping are read."""
    return adapter_of(mapped(file))


def reader(file: str) -> Reader:
    """What reads a file of payloads."""
    found: Reader = partial(read_payloads, adapter(file))
    return found


def customers(file: str) -> CustomersOf:
    """What finds customers in a line of payloads."""
    return partial(customers_in, adapter(file))


def scheme(file: str) -> Scheme | None:
    """How webhooks of a mapping are signed; None where they are not."""
    return mapped(file).scheme
