"""What clickhouse-go asks first over HTTP, with the revision of the native protocol that it speaks.

It decodes everything that follows at the revision that it is told here. Ours is 0: chDB writes the first
version of Native.
"""

from deploy.local.clickhouse.errors import NOT_IMPLEMENTED, refused
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


def refuse_revision(protocol_version: str) -> None:
    """Refuse Native answers of a newer revision; better than one that is read wrong. Raises QueryError."""
    if protocol_version not in ("", "0"):
        raise refused(
            NOT_IMPLEMENTED,
            f"client_protocol_version={protocol_version} is not supported by the embedded ClickHouse; use 0.",
        )
