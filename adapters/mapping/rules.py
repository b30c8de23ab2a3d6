"""A mapping as it is used: variants, cases, and what each emits. Made by load.py, applied by apply.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from adapters.kit.signatures import Scheme
from adapters.kit.source import Challenge
from adapters.mapping.expressions import Expression
from adapters.mapping.functions import Tables
from adapters.mapping.values import Value
from schemas.events import MODELS

Otherwise = Literal["unknown", "ignore", "refuse"]


@dataclass(frozen=True, slots=True)
class Emit:
    """One event that a payload may tell of. `earliest`: of several versions the one with the least revision
    counts. `contact_id` and `channel` are those of the variant where it says nothing itself."""

    type: str
    at: Value
    event_id: tuple[Value, ...]
    contact_id: tuple[Value, ...]
    fields: Mapping[str, Value]
    when: Expression | None = None
    revision: Value | None = None
    earliest: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """What values of the switch emit."""

    words: tuple[str, ...]
    emit: tuple[Emit, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """One shape of payload. Without a switch `always` is emitted. `for_each` goes through lists in lists."""

    applies: Expression
    for_each: Mapping[str, Expression]
    let: Mapping[str, Expression]
    customers: tuple[Expression, ...]
    switch: Expression | None
    cases: tuple[Case, ...]
    ignore: tuple[str, ...]
    otherwise: Otherwise
    always: tuple[Emit, ...]

    @property
    def emits(self) -> tuple[Emit, ...]:
        """All that it may emit."""
        return (*self.always, *(emit for case in self.cases for emit in case.emit))


@dataclass(frozen=True, slots=True)
class Mapped:
    """A whole mapping. `received`: the gateway adds to each payload when it came in."""

    name: str
    version: int
    title: str
    layout: str
    lacks: tuple[str, ...]
    signature: str
    scheme: Scheme | None
    challenge: Challenge
    tables: Tables
    received: bool
    variants: tuple[Variant, ...]
    expressions: tuple[Expression, ...]

    @property
    def gives(self) -> tuple[str, ...]:
        """The types of events that it can tell."""
        found = {emit.type for variant in self.variants for emit in variant.emits}
        return tuple(type_ for type_ in MODELS if type_ in found)
