"""What clickhouse-go asks first over HTTP, with the revision of the native protocol that it speaks.

It sends that revision with everything that follows, but decodes it at the one that it is told here. Ours is
0: chDB writes the first version of Native. clickhouse-connect tries `SELECT 1 AS check` at a revision, sees
that the answer is an old one, and goes on without.
"""

from deploy.local.clickhouse.wire import length, text

QUESTION = "SELECT displayName(), version(), revision(), timezone()"
_BLOCK_INFO = b"\x01\x00\x02" + (-1).to_bytes(4, "little", signed=True) + b"\x00"
_NO_CUSTOM_SERIALIZATION = b"\x00"


def is_hello(sql: str) -> bool:
    """Whether it is that question."""
    return " ".join(sql.split()).rstrip("; ") == QUESTION


def hello(name: str, version: str, timezone: str) -> bytes:
    """The answer, one block of one row as of a recent revision."""
    body = _BLOCK_INFO + length(4) + length(1)
    for column, kind, value in (
        ("displayName()", "String", text(name)),
        ("version()", "String", text(version)),
        ("revision()", "UInt32", (0).to_bytes(4, "little")),
        ("timezone()", "String", text(timezone)),
    ):
        body += text(column) + text(kind) + _NO_CUSTOM_SERIALIZATION + value
    return body
