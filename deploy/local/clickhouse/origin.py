"""Keep web pages out: a page in a browser can reach loopback, and the default user has no password."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from deploy.local.clickhouse.errors import ACCESS_DENIED, refused

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def check_origin(headers: Mapping[str, str]) -> None:
    """Refuse requests a foreign page sent, or that reached us by a foreign name (DNS rebinding)."""
    origin = headers.get("Origin")
    if origin is not None and urlsplit(origin).hostname not in LOCAL_NAMES:
        raise refused(ACCESS_DENIED, "The embedded ClickHouse does not answer web pages of other hosts.")
    if urlsplit("//" + headers.get("Host", "")).hostname not in LOCAL_NAMES:
        raise refused(ACCESS_DENIED, "The embedded ClickHouse answers only to localhost and 127.0.0.1.")
