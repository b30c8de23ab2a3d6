"""The address that a sender used, which some sign. Behind a proxy only the proxy knows it."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiohttp import web

Networks = Sequence[IPv4Network | IPv6Network]


def networks(texts: Iterable[str]) -> Networks:
    """Addresses and networks of proxies. Raises ValueError where one is none."""
    return tuple(ip_network(text.strip()) for text in texts if text.strip())


def is_trusted(peer: str | None, trusted: Networks) -> bool:
    """Does a connection come from one of our proxies?"""
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return False
    return any(address in network for network in trusted)


def address_of(request: web.Request, trusted: Networks) -> str:
    """The address of a request as its sender wrote it; X-Forwarded-* only count from a trusted proxy.

    Of several values the last one counts: our proxy wrote it, the others came from outside.
    """
    scheme, host = request.url.scheme, request.headers.get("Host", "")
    if is_trusted(request.remote, trusted):
        scheme = last(request.headers.get("X-Forwarded-Proto")) or scheme
        host = last(request.headers.get("X-Forwarded-Host")) or host
    return f"{scheme}://{host}{request.raw_path}"


def last(header: str | None) -> str:
    """The last of the values in a header."""
    return (header or "").rpartition(",")[2].strip()
