"""How webhooks of a mapping are signed: a row of the table by name, or one of the file's own, checked."""

from typing import Any, Literal, get_args, get_origin

from adapters.kit.schemes import SCHEMES
from adapters.kit.signatures import BODY, Scheme
from adapters.mapping.document import Part
from adapters.mapping.load_values import Reading

ENTRIES = {name: field.type for name, field in Scheme.__dataclass_fields__.items()}
HEADERS = ("header", "timestamp_header", "id_header")


def read_scheme(part: Part | None, reading: Reading) -> Scheme | None:
    """The signature of a file; None where there is none, or it is wrong."""
    if part is None:
        return None
    if not isinstance(part.value, dict):
        return SCHEMES.get(reading.one_of(part, tuple(sorted(SCHEMES)), ""))
    reading.known(part, tuple(ENTRIES))
    if "header" not in part.items:
        reading.faults.add(part, "signature needs `header`: where the signature stands")
        return None
    given = {name: entry(name, each, reading) for name, each in part.items.items() if name in ENTRIES}
    scheme = Scheme(**given)
    if not (scheme.static or scheme.jwt or scheme.body_hash or BODY in scheme.message):
        reading.faults.add(part, f"message holds no {BODY}: whoever has one signature could send anything")
    return scheme


def entry(name: str, part: Part, reading: Reading) -> Any:
    """One entry of a signature, of the kind that it must be."""
    kind = ENTRIES[name]
    if get_origin(kind) is Literal:
        return reading.one_of(part, get_args(kind), get_args(kind)[0])
    if kind is bool:
        return reading.truth(part, name)
    if name == "message":
        if isinstance(part.plain, list) and all(isinstance(each, str) for each in part.plain):
            return tuple(part.plain)
        reading.faults.add(part, 'message is a list of texts, such as ["{timestamp}", ".", "{body}"]')
        return (BODY,)
    if not isinstance(part.value, str):
        reading.faults.add(part, f"{name} is a text; write it in quotes")
        return ""
    return part.value.lower() if name in HEADERS else part.value
