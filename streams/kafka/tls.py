"""TLS to Kafka, as Python's clients want it."""

import ssl
from pathlib import Path

from schemas.brokers import Security


class BadFile(ValueError):
    """A file of certificates or keys cannot be used; `name` is the field of Security that names it."""

    def __init__(self, name: str, path: Path, why: str) -> None:
        super().__init__(f"{path} {why}")
        self.name = name


def tls_context(security: Security) -> ssl.SSLContext | None:
    """Whom to trust and what to show, None without TLS. Files are read anew each time. Raises BadFile."""
    if not security.tls:
        return None
    context = ssl.create_default_context()
    if (ca := security.ca_file) is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which trusts nobody yet
        readable("ca_file", ca)
        try:
            context.load_verify_locations(cafile=str(ca))
        except ssl.SSLError:
            raise BadFile("ca_file", ca, "holds no certificates in PEM") from None
    if (certificate := security.certificate_file) is not None:
        readable("certificate_file", certificate)
        readable("key_file", security.key_file or certificate)
        try:
            context.load_cert_chain(certificate, security.key_file, security.key_password or "")
        except ssl.SSLError:
            why = "and the key do not fit together, are no PEM, or the key has another password"
            raise BadFile("certificate_file", certificate, why) from None
    return context


def readable(name: str, path: Path) -> None:
    """Can a file be read? Raises BadFile."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise BadFile(name, path, f"cannot be read: {error.strerror}") from None
