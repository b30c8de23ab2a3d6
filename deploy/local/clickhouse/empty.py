"""Empty Native answers. A server sends the column names and types even so; chDB sends nothing at all."""

import json
from collections.abc import Mapping
from dataclasses import replace

from deploy.local.clickhouse.engine import Handle, Result
from deploy.local.clickhouse.errors import QueryError
from deploy.local.clickhouse.tokens import first_keyword
from deploy.local.clickhouse.wire import length, text

DESCRIBABLE = frozenset({"SELECT", "WITH", "FROM", "("})
CHEAP = frozenset({"SHOW", "DESCRIBE", "DESC"})
HEADED = "JSONCompactEachRowWithNamesAndTypes"


def native_header(handle: Handle, select: str, params: Mapping[str, str], result: Result) -> Result:
    """The result with a Native block of no rows, so that clients see the columns of an empty answer."""
    keyword = first_keyword(select)
    try:
        if keyword in DESCRIBABLE:
            described = handle.query(
                f"DESCRIBE TABLE (\n{select}\n)".encode("latin-1"), "JSONCompactEachRow", params
            )
            columns = [json.loads(line)[:2] for line in described.body.splitlines()]
        elif keyword in CHEAP:  # asked again: of nothing, this format still has a head
            names, types = handle.query(select.encode("latin-1"), HEADED, params).body.splitlines()[:2]
            columns = [*zip(json.loads(names), json.loads(types), strict=True)]
        else:
            return result
    except (QueryError, ValueError):
        return result  # The empty answer is right as it is, only less informative.
    block = length(len(columns)) + length(0)
    for name, kind in columns:
        block += text(name) + text(kind)
    return replace(result, body=block)
