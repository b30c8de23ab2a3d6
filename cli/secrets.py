"""The key of the hash that replaces customer identifiers."""

import os
import secrets

from cli.settings import Settings

FILE = "customer-key"


def customer_secret(settings: Settings) -> bytes:
    """RINGBACK_CUSTOMER_KEY_SECRET, else a key made once and kept in the data folder, readable by us alone.

    Events hashed with another key belong to other customers: keep it, and use one for all importers.
    """
    if settings.customer_key_secret:
        return settings.customer_key_secret.encode()
    path = settings.data_dir / FILE
    if not path.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_text().strip().encode()
