"""Which views stand as they would be made: analysing all of them takes ClickHouse seconds.

A view carries the digest of what it was made of in its own comment, so that no other sink, restored backup or
hand can come between the view and its digest.
"""

import hashlib
from collections.abc import Iterable, Mapping

from clickhouse_connect.driver.client import Client

DIGEST_BYTES = 4


def marked(statement: str, made_of: Iterable[str]) -> tuple[str, str]:
    """The statement of a view with its mark in its comment, and the mark.

    `made_of` is what decides beside the statement: the tables' columns, ClickHouse's own version.
    Raises ValueError for a statement that does not end with a comment.
    """
    body = statement.rstrip()
    if not body.endswith("'"):
        raise ValueError(f"a view without a comment: {statement[:60]}")
    digest = hashlib.blake2b("\0".join((body, *made_of)).encode(), digest_size=DIGEST_BYTES).hexdigest()
    mark = f" [{digest}]"
    return f"{body[:-1]}{mark}'", mark


def to_make(client: Client, statements: Mapping[str, str], made_of: Iterable[str]) -> dict[str, str]:
    """The views that do not stand as these statements make them, with their marks."""
    standing = client.query(
        "SELECT name, comment FROM system.tables WHERE database = currentDatabase() AND engine = 'View'"
    ).result_rows
    comments = {str(name): str(comment) for name, comment in standing}
    decisive = [*made_of, str(client.server_version)]
    wanted = {name: marked(statement, decisive) for name, statement in statements.items()}
    return {
        name: statement
        for name, (statement, mark) in wanted.items()
        if not comments.get(name, "").endswith(mark)
    }
