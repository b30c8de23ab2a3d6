"""Which addresses a receiver may have: not those of this machine or of private networks, unless allowed."""

import ipaddress
import socket


def addresses(host: str, port: int, allow_private: bool) -> list[str]:
    """Addresses of a host that may be asked. Raises OSError, PermissionError."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    allowed = [each for each in found if allow_private or ipaddress.ip_address(each.split("%")[0]).is_global]
    if not allowed:
        raise PermissionError("its address is a private one; allow_private: true allows that")
    return allowed
