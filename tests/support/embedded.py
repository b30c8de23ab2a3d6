"""Requests to the embedded ClickHouse, as its own commands, as the user of BI tools, or as nobody."""

import base64
import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clickhouse_connect

from deploy.local.clickhouse.names import BI, OWNER
from deploy.local.clickhouse.passwords import BI_FILE, OWNER_FILE, read_password
from deploy.local.clickhouse.process import LocalClickHouse

TIMEOUT_S = 30


@dataclass(frozen=True)
class Reply:
    """What a request got."""

    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> int:
        """ClickHouse's code of an error, 0 for none."""
        return int(self.headers.get("X-ClickHouse-Exception-Code") or 0)


def credentials(server: LocalClickHouse, user: str = OWNER) -> dict[str, str]:
    """Headers that say who asks."""
    password = read_password(server.data_dir / (BI_FILE if user == BI else OWNER_FILE))
    return {"X-ClickHouse-User": user, "X-ClickHouse-Key": password}


def basic(name: str, password: str) -> dict[str, str]:
    """The same as the header of HTTP."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def ask(
    server: LocalClickHouse,
    body: str | bytes | None,
    *,
    user: str = OWNER,
    headers: Mapping[str, str] | None = None,
    **query: str,
) -> Reply:
    """One request with the credentials of `user` (none for ""). A body of None makes it a GET."""
    given = credentials(server, user) if user else {}
    data = body.encode() if isinstance(body, str) else body
    return raw(server.url, data, given | dict(headers or {}), **query)


def raw(url: str, body: bytes | None, headers: Mapping[str, str], **query: str) -> Reply:
    """One request just as given."""
    full = f"{url}/?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(full, body, dict(headers))  # noqa: S310 - loopback
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return Reply(answer.status, answer.headers, answer.read())


def driver(server: LocalClickHouse, user: str = OWNER, **more: Any) -> Any:
    """The unmodified clickhouse-connect client."""
    password = credentials(server, user)["X-ClickHouse-Key"]
    return clickhouse_connect.get_client(
        host="127.0.0.1", port=server.port, username=user, password=password, **more
    )


def connection(server: LocalClickHouse) -> http.client.HTTPConnection:
    """A connection for requests that urllib would not send."""
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)


def secret_files(data_dir: Path) -> list[Path]:
    """The files with passwords."""
    return [data_dir / OWNER_FILE, data_dir / BI_FILE]
