"""Metrics of a worker or sink are not for web pages: neither by a foreign name nor from a foreign site."""

import asyncio
import http.client

import pytest

from deploy.local.ports import free_port
from streams.health.endpoint import Endpoint, serve
from streams.health.health import Health

EVERYWHERE = "0.0.0.0"  # noqa: S104 - as in the image


def asked(listening_on: str, headers: dict[str, str], path: str = "/metrics") -> int:
    """Status of a request with these headers."""

    async def ask() -> int:
        port = free_port()
        runner = await serve(Health("worker"), Endpoint("127.0.0.1:1", "group", listening_on, port))
        try:
            return await asyncio.to_thread(status, port)
        finally:
            await runner.cleanup()

    def status(port: int) -> int:
        wire = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        wire.request("GET", path, headers={"Host": f"127.0.0.1:{port}"} | headers)
        return wire.getresponse().status

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("listening_on", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.0.0.1", {"Host": "localhost:9464"}, 200),
        ("127.0.0.1", {"Host": "[::1]:9464"}, 200),
        ("127.0.0.1", {"Sec-Fetch-Site": "none"}, 200),
        ("127.0.0.1", {"Sec-Fetch-Site": "same-origin"}, 200),
        ("127.0.0.1", {"Host": "evil.example"}, 403),
        ("127.0.0.1", {"Host": "evil.example:9464"}, 403),
        ("127.0.0.1", {"Host": "[::1"}, 403),
        ("127.0.0.1", {"Host": "127.0.0.1.evil.example"}, 403),
        ("127.0.0.1", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("127.0.0.1", {"Sec-Fetch-Site": "same-site"}, 403),
        (EVERYWHERE, {"Host": "worker:9464"}, 200),
        (EVERYWHERE, {"Host": "worker:9464", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_who_is_answered(listening_on: str, headers: dict[str, str], status: int) -> None:
    assert asked(listening_on, headers) == status
    assert asked(listening_on, headers, "/ready") == (503 if status == 200 else 403)
