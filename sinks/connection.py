"""A connection to ClickHouse, and how its address and its errors are shown."""

from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client

SETTINGS = {
    "async_insert": 0,  # batches are large, and what was acknowledged must be there
    "max_partitions_per_insert_block": 0,  # a backfill may span many years
    # It looks for contradictions between the terms of an AND, and walks the whole statement for each: two
    # thirds of the CPU in which ClickHouse 26.9 analyses the oracle's fold (1.5 s; 0.6 without), for nothing.
    "optimize_and_compare_chain": 0,
    # It looks for sums and counts, or quantiles, of one thing that could be computed together. There are
    # hardly any, but hundreds of sums: a quarter to a third of the CPU of analysing KPIs over facts.
    "optimize_syntax_fuse_functions": 0,
}
CONNECT_TIMEOUT_S = 5
REQUEST_TIMEOUT_S = 120


def connect(url: str) -> Client:
    """A client for `http(s)://user:password@host:port/database`. Raises what passes() judges."""
    parts = urlsplit(url)
    return clickhouse_connect.get_client(
        interface=parts.scheme or "http",
        host=parts.hostname or "127.0.0.1",
        port=parts.port or (8443 if parts.scheme == "https" else 8123),
        username=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=parts.path.strip("/") or "ringback",
        connect_timeout=CONNECT_TIMEOUT_S,
        send_receive_timeout=REQUEST_TIMEOUT_S,
        autogenerate_session_id=False,  # one client serves several threads
        query_limit=0,
        settings=SETTINGS,
    )


def without_secret(url: str) -> str:
    """The address as it may stand in a log."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


def first_line(error: Exception) -> str:
    """The part of an error that a person reads."""
    return str(error).strip().splitlines()[0][:500] if str(error).strip() else type(error).__name__
