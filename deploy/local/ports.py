"""Loopback ports: is one free, and which one is."""

import contextlib
import ipaddress
import secrets
import socket

from deploy.local.errors import LocalStackError

LOOPBACK = "127.0.0.1"
SERVER_PORTS = range(15_000, 30_000)


def is_loopback(host: str) -> bool:
    """Whether an address is one that this machine alone can reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as server:
        # As servers do: a port whose last connections are still in TIME_WAIT counts as free.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((LOOPBACK, port))
        except OSError:
            return False
    # On some systems SO_REUSEADDR lets us bind beside a server that listens on all addresses.
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as client:
        client.settimeout(0.5)
        return client.connect_ex((LOOPBACK, port)) != 0


def require_free(port: int, purpose: str, setting: str) -> None:
    """Make sure a port can be used.

    Raises LocalStackError naming the port and the setting that changes it.
    """
    if not is_free(port):
        raise LocalStackError(
            f"port {port} on {LOOPBACK}, wanted for {purpose}, is taken by another program",
            f"stop that program, or set {setting} to a free port",
        )


def free_port(*further: int) -> int:
    """A loopback port that nothing uses at this moment, nor the ports so `further` above it.

    Drawn from below those of outgoing connections: one of these could take it before we listen.
    """
    for _ in range(1_000):
        port = secrets.choice(SERVER_PORTS)
        if all(is_free(port + distance) for distance in (0, *further)):
            return port
    raise LocalStackError(
        f"no free port between {SERVER_PORTS.start} and {SERVER_PORTS.stop} on {LOOPBACK}",
        "stop programs that listen there",
    )
