"""What fastavro's own writer makes of a value: our writer of bodies must make the same."""

from io import BytesIO
from typing import Any

import fastavro


def by_fastavro(schema: Any, value: object) -> bytes:
    """The Avro body of a value."""
    out = BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()
