"""Empty Native answers. A server sends the column names and types even so; chDB sends nothing at all."""

import json
from collections.abc import Mapping
from dataclasses import replace

from deploy.local.clickhouse.engine import Handle, Result
from deploy.local.clickhouse.errors import QueryError
from deploy.local.clickhouse.tokens import first_keyword


def native_header(handle: Handle, select: str, params: Mapping[str, str], result: Result) -> Result:
    """The result with a Native block of no rows, so that clients see the columns of an empty answer."""
    if first_keyword(select) not in ("SELECT", "WITH", "FROM", "("):
        return result
    try:
        described = handle.query(
            f"DESCRIBE TABLE (\n{select}\n)".encode("latin-1"), "JSONCompactEachRow", params
        )
    except QueryError:
        return result  # The empty answer is right as it is, only less informative.
    columns = [json.loads(line)[:2] for line in described.body.splitlines()]
    block = _varint(len(columns)) + _varint(0)
    for name, kind in columns:
        block += _string(name) + _string(kind)
    return replace(result, body=block)


def _string(text: str) -> bytes:
    data = text.encode()
    return _varint(len(data)) + data


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
