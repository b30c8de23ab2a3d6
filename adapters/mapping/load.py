"""A mapping's file, read and checked. All that is wrong is said at once, with file, line and column."""

import re
from pathlib import Path
from typing import Any, get_args

from adapters.kit.source import Challenge
from adapters.mapping.document import Faults, Part, parts_of, read_parts
from adapters.mapping.expressions import Expression
from adapters.mapping.functions import Tables, key_text
from adapters.mapping.load_emits import read_emits
from adapters.mapping.load_scheme import read_scheme
from adapters.mapping.load_values import TEXT, Reading, read_ids, read_value
from adapters.mapping.rules import Case, Mapped, Otherwise, Variant

LANGUAGE = 1
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
HEADER = (
    "mapping",
    "source",
    "version",
    "title",
    "layout",
    "lacks",
    "signature",
    "challenge",
    "received",
    "tables",
    "variants",
)
NEEDED = ("mapping", "source", "version", "title", "layout", "variants")
VARIANT = (
    *("name", "applies", "for_each", "let", "customers", "contact_id", "channel"),
    *("switch", "cases", "ignore", "otherwise", "emit"),
)
SCOPE = frozenset({"payload", "item", "customer_key"})
TEXTS = ("source", "title", "layout")


def load_mapping(path: Path) -> Mapped:
    """The mapping in a file. Raises BadMapping, OSError."""
    return read_mapping(read_parts(path), str(path))


def mapping_of(text: str, name: str = "mapping.yaml") -> Mapped:
    """The mapping in a text. Raises BadMapping."""
    return read_mapping(parts_of(text.encode(), name), name)


def read_mapping(root: Part, name: str) -> Mapped:
    """A mapping of parts. Raises BadMapping."""
    faults = Faults(name)
    items = root.items
    reading = Reading(faults, {}, SCOPE)
    reading.known(root, HEADER)
    for missing in [each for each in NEEDED if each not in items]:
        faults.add(root, f"{missing} is missing")
    faults.end()
    check_header(items, faults)
    reading.tables = read_tables(items.get("tables"), faults)
    variants = tuple(read_variant(each, reading) for each in listed(items["variants"], faults))
    scheme = items.get("signature")
    mapped = Mapped(
        name=str(items["source"].value),
        version=items["version"].value,
        title=str(items["title"].value),
        layout=str(items["layout"].value),
        lacks=tuple(str(each.value) for each in listed(items.get("lacks"), faults)),
        signature=str(scheme.value) if scheme and not scheme.items else "",
        scheme=read_scheme(scheme, reading),
        challenge=reading.one_of(items.get("challenge"), get_args(Challenge)[1:], ""),  # type: ignore[arg-type]
        tables=reading.tables,
        received=reading.truth(items.get("received"), "received"),
        variants=variants,
        expressions=tuple(reading.found),
    )
    faults.end()
    return mapped


def check_header(items: dict[str, Part], faults: Faults) -> None:
    """The entries at the top."""
    if items["mapping"].value != LANGUAGE:
        faults.add(items["mapping"], f"mapping: {LANGUAGE} is the only version of this language")
    if not NAME.fullmatch(str(items["source"].value)):
        faults.add(items["source"], "a source's name is lower case letters, digits and _, 32 at most")
    if not isinstance(items["version"].value, int) or isinstance(items["version"].value, bool):
        faults.add(items["version"], "version is a whole number; raise it when the mapping changes")
    for name in TEXTS:
        if not isinstance(items[name].value, str) or not items[name].value.strip():
            faults.add(items[name], f"{name} is a text")


def listed(part: Part | None, faults: Faults) -> list[Part]:
    """The parts of a list."""
    if part is None:
        return []
    if not isinstance(part.value, list):
        faults.add(part, "a list is expected")
        return []
    return part.value


def read_tables(part: Part | None, faults: Faults) -> Tables:
    """Tables by name. A key is what text(...) makes of it."""
    found: dict[str, dict[str, Any]] = {}
    for name, table in (part.items if part else {}).items():
        found[name] = table.plain if isinstance(table.value, dict) else {}
        if not table.items or any(isinstance(each, dict | list) for each in found[name].values()):
            faults.add(table, f"the table {name} is a mapping of words to words")
    return found


def read_variant(part: Part, reading: Reading) -> Variant:
    """One shape of payload."""
    reading.known(part, VARIANT)
    items = part.items
    lets = items["let"].items if "let" in items else {}
    loops = items["for_each"] if "for_each" in items else Part({}, part.line, part.column)
    names = lets.keys() | loops.items.keys()
    for name in lets.keys() & (SCOPE | loops.items.keys()):
        reading.faults.add(items["let"].keys[name], f"{name} has a meaning already; take another name")
    inner = Reading(reading.faults, reading.tables, SCOPE | names, reading.found)
    if "applies" not in items:
        reading.faults.add(part, "`applies` is missing: a condition that payloads of this shape meet")
    if ("emit" in items) + ("switch" in items) == 0:
        reading.faults.add(part, "`emit`, or `switch` with `cases`, is missing")
    ids = read_ids(items["contact_id"], "contact_id", inner) if "contact_id" in items else ()
    channel = read_value(items["channel"], "channel", TEXT, inner) if "channel" in items else None
    applies = reading.expression(items["applies"], condition=True) if "applies" in items else None
    return Variant(
        applies=applies or Expression("payload", {}, part.line, part.column),
        for_each=read_loops(loops, reading, inner),
        let={name: found for name, each in lets.items() if (found := inner.expression(each))},
        customers=tuple(
            found
            for each in listed(items.get("customers"), reading.faults)
            if (found := inner.expression(each))
        ),
        switch=inner.expression(items["switch"]) if "switch" in items else None,
        cases=tuple(
            Case(
                words(each.items.get("is"), each, inner), read_emits(each.items["emit"], ids, channel, inner)
            )
            if "emit" in each.items
            else Case((), missing_emit(each, inner))
            for each in listed(items.get("cases"), reading.faults)
        ),
        ignore=words(items["ignore"], part, inner) if "ignore" in items else (),
        otherwise=otherwise(items.get("otherwise"), inner),
        always=read_emits(items["emit"], ids, channel, inner) if "emit" in items else (),
    )


def read_loops(part: Part, reading: Reading, inner: Reading) -> dict[str, Expression]:
    """The lists that a variant goes through: one, whose elements are `item`, or lists in lists by name."""
    if not isinstance(part.value, dict):
        found = reading.expression(part)
        return {"item": found} if found else {}
    return {name: found for name, each in part.value.items() if (found := inner.expression(each))}


def missing_emit(part: Part, reading: Reading) -> tuple[()]:
    """A case without events."""
    reading.faults.add(
        part, "a case has `is`, the words of the switch, and `emit`; nothing to emit: use `ignore`"
    )
    return ()


def words(part: Part | None, of: Part, reading: Reading) -> tuple[str, ...]:
    """Words of the switch, one or a list."""
    if part is None:
        reading.faults.add(of, "`is` is missing: the words of the switch")
        return ()
    parts = part.value if isinstance(part.value, list) else [part]
    return tuple("null" if each.value is None else key_text(each.value) for each in parts)


def otherwise(part: Part | None, reading: Reading) -> Otherwise:
    """What becomes of a word that is in no case."""
    found = reading.one_of(part, get_args(Otherwise), "unknown")
    return found  # type: ignore[return-value]
