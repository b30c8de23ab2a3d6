"""What is said of a source in one place: commands, documents and the contract suite are made from it.

A source's own entry, adapters/<name>/source.py, holds constants alone. Its modules are named as text and
loaded when they are used, so that many sources do not slow down `ringback --help`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:  # they load pydantic
    from adapters.kit.lines import LineFile
    from adapters.kit.outcomes import LineOutcome
    from adapters.kit.payloads import PayloadAdapter
    from adapters.kit.signatures import Scheme

Reads = Literal["file", "webhook", "socket", "stream"]
Challenge = Literal["", "zoom", "meta", "ringcentral", "get"]
CustomersOf = Callable[[bytes], tuple[str, ...]]


class Reader(Protocol):
    """What reads a file of a source."""

    def __call__(self, file: "LineFile", secret: bytes) -> "Iterator[LineOutcome]":
        """Outcomes of its lines. Raises WrongFile before the first one if the file is of another kind."""


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of input. `name` is that of its folder, its command, its samples and its page.

    `reader` and `customers` are "module:function". The reader takes the lines of a file and the key of the
    customer hashes; one that gets payloads otherwise has one for a file of payloads, one a line. `customers`
    says which raw identifiers of customers stand in a line, for the check that none of them goes any further.
    `gives` are the types of events it can tell; `lacks` says, a sentence each, which KPIs stay null or mean
    nothing with this source alone. `secrets` are the settings that must be set before it is used. Of one that
    posts to the gateway `adapter` is "module:PayloadAdapter", `signature` a row of adapters/kit/schemes.py.
    `challenge` is what the system asks of an address before it posts there (gateway/challenges.py): `get` for
    those that only look whether GET or HEAD is answered. `mapping` is the file of one that is described by a
    mapping; reader, customers and adapter follow from it.
    """

    name: str
    title: str
    reads: Reads
    summary: str
    example: str
    layout: str
    reader: str
    customers: str
    gives: tuple[str, ...]
    lacks: tuple[str, ...]
    header_lines: int = 0
    ordered: bool = False  # lines mean something only in the order in which they stand
    apart: bool = False  # each line means something by itself: parts of a file are read beside each other
    snapshot: bool = False  # tells a state again and again; what changed has a greater revision
    secrets: tuple[str, ...] = ()
    parts: str = ""  # "module:class" of a reader that remembers: several files are parts of one log
    follow: str = ""  # "module:class" that reads a file while it is written (path, position file, secret)
    listen: str = ""  # "module:class" of a Listener: what is told over a connection
    sort: str = ""  # "module:function" that puts such files in order, the oldest first
    adapter: str = ""
    signature: str = ""
    mapping: str = ""
    challenge: Challenge = ""

    @property
    def page(self) -> str:
        """Its page, seen from the repository."""
        return f"docs/sources/{self.name}.md"

    def load_reader(self) -> Reader:
        """What reads its files. Loads the source's modules."""
        reader: Reader = self._of_mapping("reader") if self.mapping else load(self.reader)
        return reader

    def load_series(self) -> Reader:
        """A reader for several files one after the other; of a log in parts it remembers what is open."""
        if not self.parts:
            return self.load_reader()
        reader: Reader = load(self.parts)()
        return reader

    def in_order(self, files: Sequence[str]) -> list[str]:
        """Files in the order in which to read them. Raises WrongFile and OSError."""
        ordered: list[str] = load(self.sort)(files) if self.sort and len(files) > 1 else [*files]
        return ordered

    def load_adapter(self) -> "PayloadAdapter":
        """How the gateway reads its payloads. Loads the source's modules."""
        adapter: PayloadAdapter = self._of_mapping("adapter") if self.mapping else load(self.adapter)
        return adapter

    def load_scheme(self) -> "Scheme":
        """How its webhooks are signed. Loads the table of signatures, or the source's mapping."""
        if self.mapping:
            scheme: Scheme = self._of_mapping("scheme")
            return scheme
        found: Scheme = load("adapters.kit.schemes:SCHEMES")[self.signature]
        return found

    def _of_mapping(self, what: str) -> Any:
        return load(f"adapters.mapping.source:{what}")(self.mapping)

    def load_customers(self) -> CustomersOf:
        """What finds customers in a line of its files. Loads the source's modules."""
        customers: CustomersOf = self._of_mapping("customers") if self.mapping else load(self.customers)
        return customers


def load(reference: str) -> Any:
    """The function behind "module:function"."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
