"""Which addresses a receiver may have: not those of this machine or of private networks, unless allowed."""

import ipaddress
import socket

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
COMPATIBLE = ipaddress.IPv6Network("::/96")  # the IPv4 address in the last four bytes, as with NAT64
LAST_FOUR = 0xFFFFFFFF


def addresses(host: str, port: int, allow_private: bool) -> list[str]:
    """Addresses of a host that may be asked. Raises OSError, PermissionError."""
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except UnicodeError:
        raise socket.gaierror(f"{host[:80]!r} is no name of a host") from None
    allowed = [each for each in found if allow_private or is_public(each)]
    if not allowed:
        raise PermissionError("its address is a private one; allow_private: true allows that")
    return allowed


def is_public(text: str) -> bool:
    """Is it an address of the Internet, and the IPv4 address that it may stand for too?"""
    address = ipaddress.ip_address(text.split("%")[0])
    if address.is_multicast or not address.is_global:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and (address in NAT64 or address in COMPATIBLE):
        inner = ipaddress.IPv4Address(int(address) & LAST_FOUR)
    return not address.is_site_local and (inner is None or is_public(str(inner)))
