"""Errors a client sees: ClickHouse's own codes, names and HTTP statuses."""

import re

_CODE = re.compile(r"Code: (\d+)\.")
# An error that passed through several hands says its code before, and its name and version behind, each time.
_REPEATED_BEGIN = re.compile(r"^(Code: \d+\. DB::Exception: )+")
_REPEATED_END = re.compile(r"( \(version [^()]*\)\. \([A-Z0-9_]+\))+$")
_BAD_REQUEST = frozenset(
    {
        6,
        10,
        15,
        25,
        26,
        27,
        36,
        37,
        38,
        41,
        44,
        53,
        62,
        72,
        117,
        123,
        167,
        168,
        223,
        321,
        376,
        427,
        441,
        675,
        676,
    }
)
_NOT_FOUND = frozenset({46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511})
_FORBIDDEN = frozenset({192, 193, 497, 512, 516})
_STATUS = {194: 401, 229: 413, 48: 501, 209: 408, 76: 503, 439: 503, 411: 411, 159: 408, 202: 503}

_NO_FILES = "necessary to have the grant READ ON FILE"

BAD_ARGUMENTS = (36, "BAD_ARGUMENTS")
NOT_IMPLEMENTED = (48, "NOT_IMPLEMENTED")
UNKNOWN_TABLE = (60, "UNKNOWN_TABLE")
SYNTAX_ERROR = (62, "SYNTAX_ERROR")
UNKNOWN_TYPE_OF_QUERY = (78, "UNKNOWN_TYPE_OF_QUERY")
UNKNOWN_SETTING = (115, "UNKNOWN_SETTING")
INCORRECT_DATA = (117, "INCORRECT_DATA")
READONLY = (164, "READONLY")
SOCKET_TIMEOUT = (209, "SOCKET_TIMEOUT")
TOO_MANY_SIMULTANEOUS_QUERIES = (202, "TOO_MANY_SIMULTANEOUS_QUERIES")
QUERY_IS_TOO_LARGE = (229, "QUERY_IS_TOO_LARGE")
NETWORK_ERROR = (210, "NETWORK_ERROR")
NOT_ENOUGH_SPACE = (243, "NOT_ENOUGH_SPACE")
SUPPORT_IS_DISABLED = (344, "SUPPORT_IS_DISABLED")
SESSION_NOT_FOUND = (372, "SESSION_NOT_FOUND")
SESSION_IS_LOCKED = (373, "SESSION_IS_LOCKED")
TOO_MANY_ROWS_OR_BYTES = (396, "TOO_MANY_ROWS_OR_BYTES")
ACCESS_DENIED = (497, "ACCESS_DENIED")
AUTHENTICATION_FAILED = (516, "AUTHENTICATION_FAILED")


class QueryError(Exception):
    """A request failed: the text a client sees, ClickHouse's error code and the HTTP status."""

    def __init__(self, code: int, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.status = http_status(code) if status is None else status


def refused(kind: tuple[int, str], message: str, status: int | None = None) -> QueryError:
    """An error raised by us rather than by the engine, worded the way ClickHouse words its own."""
    code, name = kind
    return QueryError(code, f"Code: {code}. DB::Exception: {message} ({name})", status)


def from_engine(text: str) -> QueryError:
    """Turn an error text of the engine into a QueryError; 1002 (unknown) if it carries no code."""
    if _NO_FILES in text:
        # The database `default` of chDB takes every unknown name for a file.
        return refused(
            UNKNOWN_TABLE,
            "Unknown table. In the database default are no tables and none can be made, and files are no "
            "tables; use the database ringback, or one of your own.",
        )
    match = _CODE.search(text)
    text = _REPEATED_END.sub("", _REPEATED_BEGIN.sub(r"\1", text.strip()))
    return QueryError(int(match.group(1)) if match else 1002, text)


def http_status(code: int) -> int:
    """The HTTP status a ClickHouse server answers for an error code (exceptionCodeToHTTPStatus)."""
    if code in _BAD_REQUEST:
        return 400
    if code in _NOT_FOUND:
        return 404
    if code in _FORBIDDEN:
        return 403
    return _STATUS.get(code, 500)
