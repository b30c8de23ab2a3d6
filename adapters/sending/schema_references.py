"""Schemas of a registry that refer to others, as a union of events does to each of them."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from schemas.codec import DecodeError
from schemas.confluent import RegistryRefused
from schemas.foreign import writer_names

Document = dict[str, Any]
# Of one schema, counted with those of its references. The schemas of all our events are 19.
REFERENCES_MAX = 200


class NoSuchSchema(RegistryRefused):
    """There is no schema with this id, or of this name and version."""


def named_schemas(answer: Document, ask: Callable[[str], Document]) -> Document:
    """What the schema in a registry's answer refers to, by name, parsed; `ask` fetches a path.

    Raises DecodeError where a reference leads nowhere, and what `ask` raises, but for NoSuchSchema.
    """
    named: Document = {}
    _add(answer, ask, named, [])
    return named


def _add(answer: Document, ask: Callable[[str], Document], named: Document, asked: list[str]) -> None:
    """Add what an answer refers to, those first that are referred to by others."""
    for reference in answer.get("references") or ():
        try:
            subject, version = str(reference["subject"]), str(reference["version"])
        except (KeyError, TypeError):
            raise DecodeError("unknown_schema_id", "a reference has no subject and version") from None
        path = f"/subjects/{quote(subject, safe='')}/versions/{quote(version, safe='')}"
        if path in asked:
            continue
        asked.append(path)
        if len(asked) > REFERENCES_MAX:
            raise DecodeError("unknown_schema_id", f"it refers to more than {REFERENCES_MAX} schemas")
        try:
            found = ask(path)
        except NoSuchSchema:
            raise DecodeError("unknown_schema_id", f"it refers to {subject} {version}, not there") from None
        _add(found, ask, named, asked)
        try:
            writer_names(json.loads(found["schema"]), named)
        except Exception as error:  # as for the schema itself
            raise DecodeError("unknown_schema_id", f"{subject} {version} is no schema: {error}") from None
