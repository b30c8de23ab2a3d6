"""Addresses in settings, looked at before they are used. No message repeats one: it may hold a password."""

import re
from urllib.parse import urlsplit

BROKER = re.compile(r"(?:\[[0-9a-fA-F:.%]+\]|[^\s:/@\[\],]+)(?::([0-9]{1,5}))?")
FORM = "write http(s)://user:password@host:port/path"
ENCODE = "in user and password write / as %2F, @ as %40, : as %3A, ? as %3F, # as %23 and % as %25"


def http_address(value: str) -> str:
    """An address of HTTP with a host. Raises ValueError, without the address."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError(f"this is no address: {FORM}; {ENCODE}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"this is no address of http or https: {FORM}")
    if "@" in parts.path + parts.query + parts.fragment or "@" in parts.netloc.rpartition("@")[0]:
        raise ValueError(f"an @ stands where none can: {FORM}; {ENCODE}")
    return value


def brokers(value: str) -> str:
    """Addresses of brokers, `host:port,host:port`; a port may be missing. Raises ValueError."""
    for address in value.split(","):
        found = BROKER.fullmatch(address.strip())
        if found is None or not 0 < int(found[1] or 9092) < 65536:
            raise ValueError("this is no list of brokers: write host:port,host:port, an IPv6 address in []")
    return value
