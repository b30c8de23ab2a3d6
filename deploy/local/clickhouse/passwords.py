"""The passwords of the embedded ClickHouse: files in the data folder that their owner alone can read."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from deploy.local.errors import LocalStackError

OWNER_FILE = "clickhouse-password"  # of the user "default": our own commands
BI_FILE = "clickhouse-bi-password"  # of the user "bi", which may only read
MOST_BYTES = 1000
_OTHERS = 0o077


def keep_password(path: Path) -> str:
    """The password in a file, made if there is none, with mode 0600 in any case.

    Call it under the data folder's lock. Raises LocalStackError when the file cannot be read or written.
    """
    try:
        password = _read(path)
        if password:
            if path.stat().st_mode & _OTHERS:
                path.chmod(0o600)
            return password
        return _make(path)
    except (OSError, UnicodeDecodeError) as error:
        raise LocalStackError(
            f"password file {path} cannot be used: {_reason(error)}",
            "make it readable and writable for you alone, or remove it, and a new one is made",
        ) from None


def read_password(path: Path) -> str:
    """The password in a file, empty where there is none. Raises LocalStackError when it cannot be read."""
    try:
        return _read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise LocalStackError(
            f"password file {path} cannot be read: {_reason(error)}",
            "run this as the user who runs `ringback up`, or set CLICKHOUSE_URL",
        ) from None


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode().strip()
    except FileNotFoundError:
        return ""


def _make(path: Path) -> str:
    """Write it beside and rename: nobody ever reads half a password. mkstemp gives the mode 0600."""
    password = secrets.token_urlsafe(24)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(password + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    return password


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or "unknown error") if isinstance(error, OSError) else "it is no text"
