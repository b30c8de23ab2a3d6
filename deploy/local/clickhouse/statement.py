"""What a request's SQL is: an INSERT that carries data, a statement with a result, or a plain command."""

from dataclasses import dataclass

from deploy.local.clickhouse.tokens import Token, first_keyword, tokens

RESULT_KEYWORDS = frozenset(
    {
        "SELECT",
        "WITH",
        "FROM",
        "SHOW",
        "DESC",
        "DESCRIBE",
        "EXISTS",
        "EXPLAIN",
        "CHECK",
        "KILL",
        "VALUES",
        "(",
    }
)
READ_KEYWORDS = RESULT_KEYWORDS - {"KILL", "CHECK"}
_NAME_FOLLOWS = frozenset({"INSERT", "INTO", "TABLE", "FUNCTION"})


@dataclass(frozen=True, slots=True)
class InsertHead:
    """The front of ``INSERT INTO <target> [SETTINGS ...] FORMAT <format>`` and where its data begin."""

    target: str
    settings: str
    format: str
    data_offset: int

    def from_file(self, path: str, more: str = "") -> str:
        """The same INSERT reading its data from a file; ClickHouse wants SETTINGS after the file name."""
        quoted = path.replace("\\", "\\\\").replace("'", "\\'")
        settings = self.settings
        if more:  # the last one of a name counts
            settings = f"{settings}\n, {more}" if settings else f"SETTINGS {more}"
        return f"{self.target}\nFROM INFILE '{quoted}'\n{settings}\nFORMAT {self.format}"


def split_insert(text: str) -> InsertHead | None:
    """Split an INSERT with data at its FORMAT or VALUES clause.

    Returns None for anything else, INSERT ... SELECT and INSERT ... FROM INFILE included.
    """
    stream = tokens(text)
    first = next(stream, None)
    if first is None or first.keyword != "INSERT":
        return None
    settings_at = -1
    previous = first
    for token in stream:
        is_name = previous.keyword in _NAME_FOLLOWS or previous.text == "."
        if token.depth == 0 and not is_name:
            match token.keyword:
                case "SELECT" | "WITH" | "INFILE" | "WATCH":
                    return None
                case "SETTINGS":
                    settings_at = token.start
                case "VALUES":
                    return _head(text, settings_at, token, "Values", token.end)
                case "FORMAT":
                    name = next(stream, None)
                    if name is None or name.kind != "word":
                        return None
                    return _head(text, settings_at, token, name.text, _data_offset(text, name.end))
        previous = token
    return None


def _head(text: str, settings_at: int, clause: Token, fmt: str, data_offset: int) -> InsertHead:
    target_end = clause.start if settings_at < 0 else settings_at
    settings = "" if settings_at < 0 else text[settings_at : clause.start].strip()
    return InsertHead(text[:target_end].strip(), settings, fmt, data_offset)


def _data_offset(text: str, position: int) -> int:
    """Data start after the blanks and the *one* newline behind the format name, as in ClickHouse."""
    while position < len(text) and text[position] in " \t\f":
        position += 1
    if text.startswith("\r", position):
        position += 1
    if text.startswith("\n", position):
        position += 1
    return position


def returns_rows(text: str) -> bool:
    """Whether the statement has a result, even an empty one."""
    return first_keyword(text) in RESULT_KEYWORDS


def format_clause(text: str) -> tuple[str, int] | None:
    """Name and offset of the FORMAT clause that ends the statement (SETTINGS may follow), if there is one."""
    found: tuple[str, int] | None = None
    pending: Token | None = None
    in_settings = False
    for token in tokens(text):
        if token.depth:
            continue
        if pending is not None and token.kind == "word":
            found, pending, in_settings = (token.text, pending.start), None, False
            continue
        pending = None
        if token.keyword == "FORMAT":
            pending = token
        elif found and token.keyword == "SETTINGS":
            in_settings = True
        elif token.text != ";" and not in_settings:
            found = None
    return found


def trim(text: str) -> str:
    """The statement without blanks and semicolons at its end."""
    return text.rstrip().rstrip(";").rstrip()
