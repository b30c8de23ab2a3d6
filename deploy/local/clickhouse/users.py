"""Who asks. One user today (``default``); a read-only one is to join it here and nowhere else."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.clickhouse.errors import AUTHENTICATION_FAILED, refused


@dataclass(frozen=True)
class User:
    """A user; ``read_only`` ones run at the engine's readonly level 1 (no writing, SET, file() or url())."""

    name: str
    password: str = ""
    read_only: bool = False


def default_users(password: str = "") -> dict[str, User]:
    """The users of a local stack, by name."""
    return {"default": User("default", password)}


def authenticate(users: Mapping[str, User], headers: Mapping[str, str], params: Mapping[str, str]) -> User:
    """The user a request speaks for: X-ClickHouse-User/-Key, Basic, or user/password in the URL.

    Raises QueryError (516), never saying which of the two was wrong.
    """
    name, password = _credentials(headers, params)
    user = users.get(name)
    expected = user.password if user else ""
    matches = hmac.compare_digest(password.encode(), expected.encode())
    if user is None or not matches:
        raise refused(
            AUTHENTICATION_FAILED,
            f"{name}: Authentication failed: password is incorrect, or there is no user with such name.",
        )
    return user


def _credentials(headers: Mapping[str, str], params: Mapping[str, str]) -> tuple[str, str]:
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        return headers.get("X-ClickHouse-User") or "default", headers.get("X-ClickHouse-Key", "")
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise refused(AUTHENTICATION_FAILED, "The Authorization header cannot be read.") from None
        return name or "default", password
    return params.get("user") or "default", params.get("password", "")
