"""Who asks: ``default``, which our own commands are, and ``bi``, which may only read."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy.local.clickhouse.errors import AUTHENTICATION_FAILED, refused
from deploy.local.clickhouse.names import BI, OWNER
from deploy.local.clickhouse.passwords import BI_FILE, OWNER_FILE


@dataclass(frozen=True)
class User:
    """A user; ``read_only`` ones run at the engine's readonly level 1 (no writing, no SET)."""

    name: str
    password: str = field(repr=False)
    read_only: bool = False


def stack_users(password: str, bi_password: str) -> dict[str, User]:
    """The users of a local stack, by name."""
    users = (User(OWNER, password), User(BI, bi_password, read_only=True))
    return {user.name: user for user in users}


def authenticate(users: Mapping[str, User], headers: Mapping[str, str], params: Mapping[str, str]) -> User:
    """The user a request speaks for: X-ClickHouse-User/-Key, Basic, or user/password in the URL.

    Raises QueryError (516), never saying which of the two was wrong.
    """
    name, password = _credentials(headers, params)
    user = users.get(name)
    # Of the same cost for a name that is not there; and an empty password is never right.
    expected = user.password if user else "no such user"
    matches = hmac.compare_digest(_bytes(password), _bytes(expected))
    if user is None or not matches or not expected:
        raise refused(
            AUTHENTICATION_FAILED,
            f"{_shown(name)}: Authentication failed: password is incorrect, or there is no user with such "
            "name. The passwords of the embedded ClickHouse are in files of the data folder, "
            f"{OWNER_FILE} and {BI_FILE}.",
        )
    return user


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # headers may hold any bytes


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name[:100])


def _credentials(headers: Mapping[str, str], params: Mapping[str, str]) -> tuple[str, str]:
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        return headers.get("X-ClickHouse-User") or OWNER, headers.get("X-ClickHouse-Key", "")
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:  # no base64, no ASCII, no UTF-8
            raise refused(AUTHENTICATION_FAILED, "The Authorization header cannot be read.", 400) from None
        return name or OWNER, password
    return params.get("user") or OWNER, params.get("password", "")
