"""The key of the hash that replaces customer identifiers, and what names no customer."""

import os
import secrets
from pathlib import Path

from cli.console import UNREACHABLE, WRONG_USE, fail
from cli.settings import Settings
from deploy.local.data_dir import make_private
from deploy.local.errors import LocalStackError
from schemas.customer_key import CustomerSecret

FILE = "customer-key"
SECRET_MIN_BYTES = 16
HOW = "`openssl rand -hex 32` makes one"


def customer_secret(settings: Settings, least: int = SECRET_MIN_BYTES) -> CustomerSecret:
    """RINGBACK_CUSTOMER_KEY_SECRET, else a key made once and kept in the data folder, readable by us alone.

    Events hashed with another key belong to other customers: keep it, and use one for all importers. Ends the
    command where the key is missing or so short that it could be tried out; what sends nothing may ask for
    one of `least` bytes.
    """
    unknown = settings.unknown_customers.split(",")
    if settings.customer_key_secret is not None:
        return CustomerSecret(
            strong("RINGBACK_CUSTOMER_KEY_SECRET", settings.customer_key_secret, least), unknown
        )
    return CustomerSecret(kept(settings.data_dir), unknown)


def strong(name: str, text: str, least: int = SECRET_MIN_BYTES) -> bytes:
    """The bytes of a secret; ends the command where there are too few."""
    secret = text.encode("utf-8", "surrogateescape")
    if len(secret) < least:
        fail(
            f"{name} has {len(secret)} bytes: whoever tries out telephone numbers must not be able to try "
            f"out all keys as well. Give at least {least} bytes ({HOW}). A key that was used before "
            "makes the hashes of its events; with another one their customers are new customers",
            WRONG_USE,
        )
    return secret


def kept(folder: Path) -> bytes:
    """The key in the data folder, made if there is none yet."""
    path = folder / FILE
    try:
        make_private(folder)
        if not os.path.lexists(path):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        text = path.read_text("utf-8").strip()
    except LocalStackError as error:
        fail(str(error), UNREACHABLE)
    except UnicodeDecodeError:
        fail(f"{path} is no text: {mend()}", WRONG_USE)
    except OSError as error:
        fail(f"the key of customers {path} cannot be read: {error.strerror}. {mend()}", WRONG_USE)
    if not text:
        fail(f"{path} is empty: {mend()}", WRONG_USE)
    return strong(str(path), text)


def mend() -> str:
    """What to do about a key that is damaged."""
    return (
        "put the key back from your backup, or set RINGBACK_CUSTOMER_KEY_SECRET; if nothing was imported yet "
        "delete it, and a new one is made"
    )
