"""A Kafka that wants TLS, a password and rights, as those of companies do; certificates are made for it."""

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.local.kafka.broker import LocalKafka
from deploy.local.kafka.runtime import KafkaRuntime
from deploy.local.ports import LOOPBACK, free_port

ANSWER_S = 30
USER, PASSWORD = "ringback", 'pass "word" \\ of ${env:HOME} é'  # what a shell, Java and JAAS would take apart
PLAIN_PASSWORD = "another-one"
JAAS = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class Right:
    """One thing that somebody may do."""

    resource: ResourceType
    name: str
    prefix: bool
    operation: AclOperation


@dataclass(frozen=True)
class Certificates:
    """An authority, and what a broker and a client show that it has signed."""

    authority: Path
    broker: Path  # key and certificate in one file, as Kafka reads it
    client: Path
    client_key: Path
    stranger: Path  # an authority that has signed nothing


def made_certificates(folder: Path) -> Certificates:
    """Certificates of this machine's address, good for a day."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl on this machine, which makes the certificates")
    folder.mkdir(parents=True, exist_ok=True)
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]

    def make(name: str, *more: str) -> tuple[Path, Path]:
        chain, key = folder / f"{name}.pem", folder / f"{name}.key"
        command = [openssl, "req", "-x509", *ec, "-subj", f"/CN={name}", "-keyout", key, "-out", chain]
        subprocess.run([*command, *more], check=True, capture_output=True)
        return chain, key

    authority, key = make("authority")
    signed = ("-CA", str(authority), "-CAkey", str(key), "-addext", "basicConstraints=critical,CA:FALSE")
    broker, broker_key = make("broker", *signed, "-addext", f"subjectAltName=IP:{LOOPBACK}")
    client, client_key = make("client", *signed)
    both = folder / "broker-both.pem"
    both.write_text(broker_key.read_text() + broker.read_text())
    return Certificates(authority, both, client, client_key, make("stranger")[0])


class SecureKafka(LocalKafka):
    """The local broker with further doors, by protocol; at `ssl` a client shows a certificate.

    On the plain one, which the broker itself uses, everybody may do everything.
    """

    def __init__(self, data_dir: Path, port: int, runtime: KafkaRuntime) -> None:
        super().__init__(data_dir, port, runtime)
        self.certificates = made_certificates(data_dir / "certificates")
        self.doors = {name: free_port() for name in ("SASL_SSL", "SSL", "SASL_PLAINTEXT")}

    def address(self, protocol: str) -> str:
        """Where one speaks this protocol."""
        return f"{LOOPBACK}:{self.doors[protocol.upper()]}"

    def _write_files(self) -> None:
        super()._write_files()
        text = self.files.properties.read_text()
        doors = "".join(f",{name}://{LOOPBACK}:{port}" for name, port in self.doors.items())
        lines = [
            line + doors if line.startswith(("listeners=", "advertised.listeners=")) else line
            for line in text.splitlines()
            if not line.startswith("listener.security.protocol.map")
        ]
        names = ["PLAINTEXT", *self.doors]
        plain = f'{JAAS}.plain.PlainLoginModule required user_{USER}="{PLAIN_PASSWORD}";'
        lines += [
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT," + ",".join(f"{n}:{n}" for n in names),
            "ssl.keystore.type=PEM",
            f"ssl.keystore.location={self.certificates.broker}",
            "ssl.truststore.type=PEM",
            f"ssl.truststore.location={self.certificates.authority}",
            "listener.name.ssl.ssl.client.auth=required",
            "sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS",
        ]
        for door in ("sasl_ssl", "sasl_plaintext"):
            lines.append(f"listener.name.{door}.plain.sasl.jaas.config={plain}")
            for name in ("scram-sha-512", "scram-sha-256"):
                scram = f"listener.name.{door}.{name}.sasl.jaas.config"
                lines.append(f"{scram}={JAAS}.scram.ScramLoginModule required;")
        self.files.properties.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")

    def add_users(self, *users: str) -> None:
        """Users, with one password for both SCRAM mechanisms."""
        admin = self._admin()
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            credential = ScramCredentialInfo(mechanism, 4096)
            wanted = [UserScramCredentialUpsertion(user, credential, PASSWORD.encode()) for user in users]
            for done in admin.alter_user_scram_credentials(wanted).values():
                done.result(ANSWER_S)

    def allow(self, user: str, rights: Iterable[Right]) -> None:
        """Give a user rights."""
        wanted = [
            AclBinding(
                right.resource,
                right.name,
                ResourcePatternType.PREFIXED if right.prefix else ResourcePatternType.LITERAL,
                f"User:{user}",
                "*",
                right.operation,
                AclPermissionType.ALLOW,
            )
            for right in rights
        ]
        admin = self._admin()
        for done in admin.create_acls(wanted).values():
            done.result(ANSWER_S)

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap_servers})
