"""Settings of Kafka: where it is, and how it is reached."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from cli.addresses import brokers
from schemas.brokers import Brokers, Mechanism, Protocol, Security
from streams.kafka.tls import BadFile, tls_context

PROTOCOL = "RINGBACK_KAFKA_SECURITY_PROTOCOL"
PASSWORD = "RINGBACK_KAFKA_SASL_PASSWORD"  # noqa: S105 -- the name of the variable
PAGE = "[Kafka with TLS and passwords](../operating/kafka.md)"
FILES = {
    "ca_file": "RINGBACK_KAFKA_SSL_CA_FILE",
    "certificate_file": "RINGBACK_KAFKA_SSL_CERT_FILE",
    "key_file": "RINGBACK_KAFKA_SSL_KEY_FILE",
}


class KafkaSettings(BaseSettings):
    """Which Kafka."""

    kafka_bootstrap_servers: str | None = Field(
        None,
        validation_alias="KAFKA_BOOTSTRAP_SERVERS",
        description="Kafka brokers to use, `host:port,host:port`. None: the local Kafka.",
    )
    kafka_port: int = Field(
        9092,
        validation_alias="RINGBACK_KAFKA_PORT",
        ge=1,
        le=65535,
        description="Loopback port of the local Kafka.",
    )
    kafka_security_protocol: Protocol = Field(
        "plaintext",
        validation_alias="RINGBACK_KAFKA_SECURITY_PROTOCOL",
        description=f"How brokers are reached; upper case is good as well. See {PAGE}.",
    )
    kafka_sasl_mechanism: Mechanism = Field(
        "PLAIN",
        validation_alias="RINGBACK_KAFKA_SASL_MECHANISM",
        description="How user and password are told, with `sasl_ssl` and `sasl_plaintext`.",
    )
    kafka_sasl_username: str | None = Field(
        None,
        validation_alias="RINGBACK_KAFKA_SASL_USERNAME",
        description="User; of Confluent Cloud the API key.",
    )
    kafka_sasl_password: SecretStr | None = Field(
        None,
        validation_alias="RINGBACK_KAFKA_SASL_PASSWORD",
        description="Password of the user; of Confluent Cloud the API secret.",
    )
    kafka_sasl_password_file: Path | None = Field(
        None,
        validation_alias="RINGBACK_KAFKA_SASL_PASSWORD_FILE",
        description="File that holds it, in place of `RINGBACK_KAFKA_SASL_PASSWORD`.",
    )
    kafka_ssl_ca_file: Path | None = Field(
        None,
        validation_alias="RINGBACK_KAFKA_SSL_CA_FILE",
        description="Certificates, PEM, of the authorities that may have signed those of the brokers. None: "
        "the authorities of the system.",
    )
    kafka_ssl_cert_file: Path | None = Field(
        None,
        validation_alias="RINGBACK_KAFKA_SSL_CERT_FILE",
        description="Certificate of our own, PEM, for brokers that ask for one.",
    )
    kafka_ssl_key_file: Path | None = Field(
        None,
        validation_alias="RINGBACK_KAFKA_SSL_KEY_FILE",
        description="Its private key, PEM.",
    )
    kafka_ssl_key_password: SecretStr | None = Field(
        None,
        validation_alias="RINGBACK_KAFKA_SSL_KEY_PASSWORD",
        description="Password of the private key, if it has one.",
    )

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def usable_brokers(cls, value: str | None) -> str | None:
        """Addresses that the client of Kafka understands."""
        return brokers(value) if value else value

    @field_validator("kafka_security_protocol", mode="before")
    @classmethod
    def lower_case(cls, value: object) -> object:
        """Java's clients have it in upper case."""
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def usable_security(self) -> "KafkaSettings":
        """What belongs together is there, and files can be used; a mistake is named by its variable."""
        security = self.security
        if self.kafka_security_protocol != "plaintext" and not self.kafka_bootstrap_servers:
            raise ValueError(
                f"{PROTOCOL} is for a Kafka of yours, and the local one has neither TLS nor passwords: set "
                f"KAFKA_BOOTSTRAP_SERVERS, or unset {PROTOCOL}"
            )
        if security.sasl and not (security.username and security.password):
            raise ValueError(
                f"{PROTOCOL} is {security.protocol}: set RINGBACK_KAFKA_SASL_USERNAME, and "
                f"{PASSWORD} or {PASSWORD}_FILE"
            )
        self._require_used(security)
        try:
            tls_context(security)
        except BadFile as error:
            raise ValueError(f"{FILES[error.name]}: {error}") from None
        return self

    def _require_used(self, security: Security) -> None:
        """What is set for another protocol was meant to protect: it must not be passed over."""
        for name, given, used, wanted in (
            ("RINGBACK_KAFKA_SASL_USERNAME", self.kafka_sasl_username, security.sasl, "sasl_ssl"),
            (FILES["ca_file"], self.kafka_ssl_ca_file, security.tls, "ssl or sasl_ssl"),
            (FILES["certificate_file"], self.kafka_ssl_cert_file, security.tls, "ssl or sasl_ssl"),
        ):
            if given and not used:
                raise ValueError(
                    f"{name} is not used with {PROTOCOL}={security.protocol}: set that to {wanted}, or unset "
                    f"{name}"
                )
        if security.key_file is not None and security.certificate_file is None:
            raise ValueError(f"{FILES['key_file']} needs {FILES['certificate_file']}")

    @property
    def security(self) -> Security:
        """How brokers are reached. Raises ValueError where the password cannot be read."""
        key_password = self.kafka_ssl_key_password
        return Security(
            protocol=self.kafka_security_protocol,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_sasl_username or "",
            password=self._password(),
            ca_file=self.kafka_ssl_ca_file,
            certificate_file=self.kafka_ssl_cert_file,
            key_file=self.kafka_ssl_key_file,
            key_password=key_password.get_secret_value() if key_password else None,
        )

    def _password(self) -> str:
        given, file = self.kafka_sasl_password, self.kafka_sasl_password_file
        if given is not None and file is not None:
            raise ValueError(f"{PASSWORD} and {PASSWORD}_FILE: set one of them")
        if file is None:
            return given.get_secret_value() if given else ""
        try:
            return file.read_text("utf-8").strip("\r\n")
        except UnicodeDecodeError:
            raise ValueError(f"{PASSWORD}_FILE: {file} is no text") from None
        except OSError as error:
            raise ValueError(f"{PASSWORD}_FILE: {file} cannot be read: {error.strerror}") from None

    @property
    def bootstrap_servers(self) -> Brokers:
        """Brokers to talk to, local or given."""
        return self.brokers_at(self.kafka_bootstrap_servers or f"127.0.0.1:{self.kafka_port}")

    def brokers_at(self, addresses: str) -> Brokers:
        """Brokers that are reached as ours are."""
        return Brokers(addresses, self.security)
