"""What no request may do, whoever sends it: write or read files here, or smuggle a second statement in."""

import re
from collections.abc import Callable

from deploy.local.clickhouse.errors import (
    READONLY,
    SUPPORT_IS_DISABLED,
    SYNTAX_ERROR,
    UNKNOWN_TYPE_OF_QUERY,
    refused,
)
from deploy.local.clickhouse.statement import READ_KEYWORDS, trim
from deploy.local.clickhouse.tokens import first_keyword, tokens

Normalise = Callable[[str], str]
_FILES = re.compile(r"outfile|infile", re.IGNORECASE)
_WRITE_WORDS = frozenset({"INSERT"})


def check_statement(text: str, normalise: Normalise) -> None:
    """Refuse INTO OUTFILE, FROM INFILE and several statements in one request.

    ``normalise`` is the engine's formatQuery: comments, case and quoting tricks are gone from its answer, and
    it fails on a second statement. It costs a round trip, so it is asked only about texts that might need it.
    Raises QueryError.
    """
    if _FILES.search(text) or ";" in trim(text):
        check_normalised(normalise(text))


def check_normalised(text: str) -> None:
    """Refuse file clauses in text that the engine has normalised. Raises QueryError."""
    stream = list(tokens(text))
    for before, token, after in zip(stream, stream[1:], [*stream[2:], None], strict=False):
        pair = (before.keyword, token.keyword)
        if pair == ("INTO", "OUTFILE"):
            raise refused(
                SUPPORT_IS_DISABLED, "INTO OUTFILE is not allowed over HTTP; read the answer instead."
            )
        # A table may be called infile, but no table name is followed by a string.
        if pair == ("FROM", "INFILE") and (after is None or after.kind != "word"):
            message = "FROM INFILE is not allowed over HTTP; send the data in the request body."
            raise refused(UNKNOWN_TYPE_OF_QUERY, message)


def check_insert_head(text: str, normalise: Normalise) -> None:
    """The same for the front of an INSERT, data excluded. Raises QueryError."""
    if _FILES.search(text):
        check_normalised(normalise(text + "\nFORMAT Values"))
    if any(token.text == ";" for token in tokens(text)):
        raise refused(SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed).")


def check_values(data: str) -> None:
    """Refuse a second statement behind inline VALUES; the engine would leave it unread without a word."""
    if ";" not in trim(data):
        return
    ended = False
    for token in tokens(data):
        if ended and token.text != ";":
            raise refused(SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed).")
        ended = ended or (token.text == ";" and token.depth == 0)


def check_reads_only(text: str) -> None:
    """Refuse what may write, by its words: for GET inside a session, whose handle cannot be made read-only.

    Deliberately too strict (a column called ``insert`` must be quoted). Raises QueryError.
    """
    words = {token.keyword for token in tokens(text)}
    if first_keyword(text) not in READ_KEYWORDS or words & _WRITE_WORDS:
        raise refused(
            READONLY, "Cannot execute query in readonly mode. For queries that change data use POST."
        )
