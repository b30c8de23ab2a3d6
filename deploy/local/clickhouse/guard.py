"""What no request may do, whoever sends it, and what the engine's own grants (access.py) do not refuse.

That is: kinds of statements and engines that are not listed; the function file(), which reads any file; table
functions but those that compute; INTO OUTFILE and FROM INFILE; disks of one's own; several statements in one
request. It is decided on what the engine's formatQuery says: there comments, case and escapes are gone,
and it fails on a second statement.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Collection
from threading import Lock

from deploy.local.clickhouse.access import ENGINES
from deploy.local.clickhouse.errors import (
    READONLY,
    SUPPORT_IS_DISABLED,
    SYNTAX_ERROR,
    UNKNOWN_TYPE_OF_QUERY,
    QueryError,
    refused,
)
from deploy.local.clickhouse.statement import READ_KEYWORDS, RESULT_KEYWORDS, trim
from deploy.local.clickhouse.tokens import Token, first_keyword, tokens

Normalise = Callable[[str], str]
# They compute what they give, or read tables under the grants. format() and input() are not among them: data
# in the format Values are expressions, which nobody would have looked at.
TABLE_FUNCTIONS = frozenset(
    {
        "numbers", "numbers_mt", "zeros", "zeros_mt", "primes", "generateseries", "generate_series",
        "generaterandom", "values", "sqlstandardvalues", "null", "view", "viewifpermitted", "viewexplain",
        "merge",
    }
)  # fmt: skip
# Functions of expressions that read files or ask an address; disk() is what SETTINGS of a table may say.
FUNCTIONS = frozenset(
    {
        "file", "disk", "evalmlmethod", "catboostevaluate", "showcertificate", "logtrace",
        "aigenerate", "aiclassify", "aiextract", "aitranslate", "aiembed", "aifilter", "airedact",
        "aisimilarity",
    }
)  # fmt: skip
KINDS = RESULT_KEYWORDS | frozenset(
    {
        "INSERT", "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "EXCHANGE", "OPTIMIZE", "USE", "SET",
        "DELETE", "UPDATE", "UNDROP",
    }
)  # fmt: skip
CHDB_DATABASE = "default"  # without it no handle can be opened
# Text in strings that the engine takes for expressions: these settings, and the structure of such a function.
_EXPRESSIONS = frozenset(
    {"additional_table_filters", "additional_result_filter", "parallel_replicas_custom_key"}
)
_STRUCTURED = frozenset({"generaterandom", "values", "null"})
_WRITE_WORDS = frozenset({"INSERT"})
_HIDDEN = re.compile(rf"(?<![A-Za-z0-9_])({'|'.join(sorted(FUNCTIONS))})(?![A-Za-z0-9_])", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)  # formatQuery leaves none but of single letters
_ESCAPED_NAME = re.compile(r"[`\"]")
KEPT_VERDICTS, KEPT_BYTES = 2000, 20_000


class Guard:
    """Looks at statements; remembers those that it let pass, which are the same few all day."""

    def __init__(self, normalise: Normalise, table_functions: Collection[str] = ()) -> None:
        self._normalise = normalise
        self._forbidden = FUNCTIONS | ({name.lower() for name in table_functions} - TABLE_FUNCTIONS)
        self._passed: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def check(self, text: str) -> None:
        """Refuse a statement that no request may have. Raises QueryError, the engine's for what is no SQL."""
        with self._lock:
            if text in self._passed:
                self._passed.move_to_end(text)
                return
        normalised = self._normalise(text)
        self.check_normalised(normalised)
        check_has_no_data(normalised)
        if len(text) <= KEPT_BYTES:
            with self._lock:
                self._passed[text] = None
                if len(self._passed) > KEPT_VERDICTS:
                    self._passed.popitem(last=False)

    def check_insert_head(self, text: str) -> None:
        """The same for the front of an INSERT, without its data. Raises QueryError."""
        if any(token.text == ";" for token in tokens(text)):
            raise refused(SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed).")
        normalised = self._normalise(text + "\nFORMAT Values")
        if first_keyword(normalised) != "INSERT":
            raise refused(SYNTAX_ERROR, "Syntax error (INSERT expected).")
        self.check_normalised(normalised)

    def values_are_safe(self, data: str) -> bool:
        """Whether expressions in the data of VALUES may be computed; where not, literals alone are read.

        Raises QueryError for expressions that no request may have.
        """
        if not _HIDDEN.search(data) and not _ESCAPED_NAME.search(data):
            return True
        try:
            normalised = self._normalise("SELECT " + trim(data))
        except QueryError:
            return False
        self.check_normalised(normalised)
        return True

    def check_normalised(self, text: str) -> None:
        """Refuse what stands in text that the engine has normalised. Raises QueryError."""
        stream = list(tokens(text))
        _check_kind(stream)
        expressions = False
        for at, token in enumerate(stream):
            before = stream[at - 1] if at else None
            after = stream[at + 1] if at + 1 < len(stream) else None
            _check_files(before, token, after)
            name = _name(token)
            called = (after is not None and after.text == "(") or (before and before.keyword == "APPLY")
            if name in self._forbidden and called and not (before and before.keyword in ("INTO", ".")):
                raise refused(SUPPORT_IS_DISABLED, f"{name}() is not allowed in the embedded ClickHouse.")
            expressions = expressions or name in _EXPRESSIONS or (name in _STRUCTURED and bool(called))
        if expressions:
            for token in stream:
                if token.kind == "string":
                    check_expression(token.text)


def _check_kind(stream: list[Token]) -> None:
    """Refuse kinds of statements and engines that are not on the lists; their own words alone count here."""
    first = next((token for token in stream if token.text != "("), None)
    if first is None or first.keyword not in KINDS:
        what = first.keyword if first else "An empty statement"
        raise refused(SUPPORT_IS_DISABLED, f"{what} is not allowed in the embedded ClickHouse.")
    for token, after, name in zip(stream, stream[1:], [*stream[2:], stream[-1]], strict=False):
        if (
            first.keyword == "INSERT"
            and token.depth == 0
            and (token.text, after.kind) == ("FUNCTION", "word")
        ):
            raise refused(
                SUPPORT_IS_DISABLED, "INSERT INTO FUNCTION is not allowed in the embedded ClickHouse."
            )
        if token.text == "PARALLEL" and after.text == "WITH":
            raise refused(SUPPORT_IS_DISABLED, "PARALLEL WITH is not allowed in the embedded ClickHouse.")
        # In normalised text the keyword is in capitals; a column called engine is as it was written.
        made = first.keyword == "CREATE" and token.text == "ENGINE" and after.text == "="
        if made and _unquoted(name) not in ENGINES:
            raise refused(
                SUPPORT_IS_DISABLED, f"ENGINE = {name.text} is not allowed in the embedded ClickHouse."
            )
    if first.keyword in ("DROP", "RENAME", "TRUNCATE") and stream[1:2] and stream[1].keyword == "DATABASE":
        names = {_name(token) or token.text for token in stream[2:]}
        if names & {CHDB_DATABASE, "{"}:  # a bracket: its name is a parameter
            raise refused(SUPPORT_IS_DISABLED, "The database default has to stay.")


def check_has_no_data(normalised: str) -> None:
    """Refuse an INSERT whose data follow unseen: split_insert did not take it for one. Raises QueryError."""
    if first_keyword(normalised) == "INSERT" and not any(
        token.keyword == "SELECT" and token.depth == 0 for token in tokens(normalised)
    ):
        raise refused(SYNTAX_ERROR, "Syntax error (the data of this INSERT cannot be found; use FORMAT).")


def check_expression(text: str) -> None:
    """Refuse text that may become an expression and has a function that no request may have."""
    inner = _ESCAPE.sub(lambda match: match[1] if match[1] in "\\'\"`" else " ", text)
    found = _HIDDEN.search(inner)
    if found or ("\\" in inner and _ESCAPED_NAME.search(inner)):
        what = f"{found.group(1)}()" if found else "An escaped name"
        raise refused(SUPPORT_IS_DISABLED, f"{what} is not allowed in the embedded ClickHouse.")


def check_settings(settings: dict[str, str]) -> None:
    """Refuse settings in the address whose value is an expression that no request may have."""
    for name, value in settings.items():
        if name.lower() in _EXPRESSIONS:
            check_expression(value)


def _unquoted(token: Token) -> str:
    if token.kind == "quoted":
        return token.text[1:-1]
    return token.text if token.kind == "word" else ""


def _name(token: Token) -> str:
    return _unquoted(token).lower()


def _check_files(before: Token | None, token: Token, after: Token | None) -> None:
    pair = (before.keyword if before else "", token.keyword)
    if pair == ("INTO", "OUTFILE"):
        raise refused(SUPPORT_IS_DISABLED, "INTO OUTFILE is not allowed over HTTP; read the answer instead.")
    # A table may be called infile, but no table name is followed by a string.
    if pair == ("FROM", "INFILE") and (after is None or after.kind != "word"):
        message = "FROM INFILE is not allowed over HTTP; send the data in the request body."
        raise refused(UNKNOWN_TYPE_OF_QUERY, message)


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
