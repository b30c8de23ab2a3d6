"""Brokers of Kafka and how they are reached: what every client in the house is made from."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Protocol = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True, slots=True)
class Security:
    """TLS and SASL as Kafka's own clients name them. Without `ca_file` the system's authorities are trusted;
    `certificate_file` and its key are what brokers that want one are shown."""

    protocol: Protocol = "plaintext"
    mechanism: Mechanism = "PLAIN"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: str | None = field(default=None, repr=False)

    @property
    def tls(self) -> bool:
        """Is what is sent encrypted?"""
        return self.protocol in ("ssl", "sasl_ssl")

    @property
    def sasl(self) -> bool:
        """Are brokers told a user and a password?"""
        return self.protocol in ("sasl_plaintext", "sasl_ssl")


OPEN = Security()


class Brokers(str):
    """`host:port,host:port`, and how to connect there.

    A text, since it is printed, logged and compared as one, and no password with it. Brokers that are named
    by a plain text, such as the local one, have neither TLS nor passwords.
    """

    security: Security

    def __new__(cls, addresses: str, security: Security = OPEN) -> "Brokers":
        """Addresses with their security."""
        made = super().__new__(cls, addresses)
        made.security = security
        return made


def security_of(servers: str) -> Security:
    """How brokers are reached."""
    return servers.security if isinstance(servers, Brokers) else OPEN


def librdkafka_settings(servers: str) -> dict[str, Any]:
    """Settings of a client of confluent_kafka that decide whom it connects to, and how."""
    security = security_of(servers)
    found: dict[str, Any] = {"bootstrap.servers": str(servers), "security.protocol": security.protocol}
    if security.sasl:
        found["sasl.mechanism"] = security.mechanism
        found["sasl.username"], found["sasl.password"] = security.username, security.password
    if security.tls:
        tls = {
            "ssl.ca.location": security.ca_file and str(security.ca_file),
            "ssl.certificate.location": security.certificate_file and str(security.certificate_file),
            "ssl.key.location": security.key_file and str(security.key_file),
            "ssl.key.password": security.key_password,
        }
        found |= {name: value for name, value in tls.items() if value is not None}
    return found
