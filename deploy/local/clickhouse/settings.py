"""The parameters of a request: the interface's own, settings, and values to bind into the query."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from deploy.local.clickhouse.errors import BAD_ARGUMENTS, NOT_IMPLEMENTED, READONLY, UNKNOWN_SETTING, refused

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")
_PARAM = "param_"
# The interface's own words, and settings which steer a server's HTTP layer: the engine need not see them.
_INTERFACE = frozenset(
    {
        "query", "database", "default_format", "query_id", "session_id", "session_timeout", "session_check",
        "close_session", "user", "password", "quota_key", "compress", "decompress", "buffer_size",
        "wait_end_of_query", "client_protocol_version", "stacktrace", "enable_http_compression",
        "http_zlib_compression_level", "send_progress_in_http_headers", "http_headers_progress_interval_ms",
        "cancel_http_readonly_queries_on_client_close", "http_wait_end_of_query", "http_response_buffer_size",
        "http_write_exception_in_output_format", "add_http_cors_header", "readonly", "log_comment",
    }
)  # fmt: skip
_OF_HEADER = {
    "X-ClickHouse-Database": "database",
    "X-ClickHouse-Format": "default_format",
    "X-ClickHouse-Query-Id": "query_id",
}
_OFF = frozenset({"", "0", "false", "False"})


@dataclass(frozen=True)
class RequestOptions:
    """Everything a request says besides its SQL and data."""

    query: str = ""
    database: str = ""
    default_format: str = "TabSeparated"
    query_id: str = ""
    session_id: str = ""
    session_timeout_s: int = 60
    session_check: bool = False
    compress_response: bool = True
    close_session: bool = False
    compress_blocks: bool = False
    decompress_blocks: bool = False
    protocol_version: str = ""
    readonly: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)


def parse_options(pairs: Iterable[tuple[str, str]], headers: Mapping[str, str]) -> RequestOptions:
    """Sort a request's parameters (URL, then form) and headers into options.

    Raises QueryError for a name that cannot be a setting and for options that are not supported.
    """
    given = dict(pairs)
    for header, name in _OF_HEADER.items():
        given[name] = given.get(name) or headers.get(header, "")
    try:
        "".join((*given, *given.values())).encode()
    except UnicodeEncodeError:
        raise refused(BAD_ARGUMENTS, "A parameter or header of the request is no UTF-8.", 400) from None
    if "role" in given:
        raise refused(NOT_IMPLEMENTED, "Roles do not exist in the embedded ClickHouse.")
    timeout = given.get("session_timeout", "60")
    # A server compresses only when asked so; with its own compression on, once is enough.
    by_default = "1" if given.get("compress", "0") in _OFF else "0"
    return RequestOptions(
        query=given.get("query", ""),
        database=given["database"],
        default_format=given["default_format"] or "TabSeparated",
        query_id=given["query_id"],
        session_id=given.get("session_id", ""),
        session_timeout_s=min(3600, int(timeout[:9])) if timeout.isdecimal() else 60,
        session_check=given.get("session_check", "0") not in _OFF,
        close_session=given.get("close_session", "0") not in _OFF,
        compress_blocks=given.get("compress", "0") not in _OFF,
        decompress_blocks=given.get("decompress", "0") not in _OFF,
        protocol_version=given.get("client_protocol_version", ""),
        compress_response=given.get("enable_http_compression", by_default) not in _OFF,
        readonly=0 if given.get("readonly", "0") in _OFF else 2 if given["readonly"] == "2" else 1,
        settings={name: value for name, value in given.items() if _is_setting(name)},
        params={n.removeprefix(_PARAM): v for n, v in given.items() if n.startswith(_PARAM)},
    )


def _is_setting(name: str) -> bool:
    if name in _INTERFACE or name.startswith(_PARAM):
        return False
    if name.lower() == "profile":
        raise refused(READONLY, "Profiles of settings cannot be chosen in the embedded ClickHouse.")
    if not _NAME.match(name):
        raise refused(UNKNOWN_SETTING, f"Setting {name!r} is neither defined nor a possible name.")
    return True


def quote(value: str) -> str:
    """A ClickHouse string literal."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_name(name: str) -> str:
    """A ClickHouse quoted identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def escape_param(value: str) -> str:
    """A text as a query parameter wants it: escaped like a TabSeparated field."""
    for raw, escaped in (
        ("\\", "\\\\"),
        ("\t", "\\t"),
        ("\n", "\\n"),
        ("\r", "\\r"),
        ("\0", "\\0"),
        ("\b", "\\b"),
    ):
        value = value.replace(raw, escaped)
    return value.replace("\f", "\\f")


def set_statement(settings: Mapping[str, str]) -> str:
    """One SET statement for all settings; their names were checked by parse_options."""
    return "SET " + ", ".join(f"{name} = {quote(value)}" for name, value in settings.items())
