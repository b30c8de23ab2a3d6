"""Clients of aiokafka: what they are made from, and why brokers will not have them.

aiokafka says only that it was "unable to bootstrap", whatever is wrong. So whoever has failed asks here, and
what waiting cannot mend is raised at once, with what to do.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    BrokerResponseError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from schemas.brokers import Security, security_of
from streams.kafka.tls import BadFile, tls_context

ANSWER_S = 3.0
CONFIRM_S = 0.5
PROTOCOL = "RINGBACK_KAFKA_SECURITY_PROTOCOL"
NOT_ALLOWED: tuple[type[BrokerResponseError], ...] = (
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    ClusterAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)


class KafkaRefuses(KafkaError):  # type: ignore[misc]  # aiokafka is untyped to us
    """Brokers answer and will not have us as we are; only a person can mend it."""

    def __str__(self) -> str:
        return str(self.args[0])


def aiokafka_settings(servers: str) -> dict[str, Any]:
    """Arguments of a client of aiokafka that decide whom it connects to, and how. Raises BadFile."""
    return {"bootstrap_servers": str(servers)} | how(security_of(servers))


def how(security: Security) -> dict[str, Any]:
    """Arguments that say how to connect. Raises BadFile."""
    found: dict[str, Any] = {
        "security_protocol": security.protocol.upper(),
        "ssl_context": tls_context(security),
    }
    if security.sasl:
        found |= {
            "sasl_mechanism": security.mechanism,
            "sasl_plain_username": security.username,
            "sasl_plain_password": security.password,
        }
    return found


@asynccontextmanager
async def explained(servers: str) -> AsyncIterator[None]:
    """Raises KafkaRefuses in place of what says less, where brokers refuse; all else as it is."""
    try:
        yield
    except KafkaRefuses:
        raise
    except NOT_ALLOWED as error:
        raise not_allowed(servers, error) from error
    except (KafkaError, OSError) as error:
        if reason := await confirmed(servers):
            raise KafkaRefuses(reason) from error
        raise


def not_allowed(servers: str, error: BrokerResponseError) -> KafkaRefuses:
    """Rights are missing."""
    user = security_of(servers).username or "this client"
    return KafkaRefuses(
        f"Kafka at {servers} does not allow it to {user}: {error}. docs/operating/kafka.md lists the rights "
        "that each part needs"
    )


def passes(error: Exception) -> bool:
    """Is it worth to wait? A broker that is away comes back, one that refuses goes on refusing."""
    return isinstance(error, KafkaError | OSError) and not isinstance(error, KafkaRefuses)


async def confirmed(servers: str) -> str | None:
    """As `refusal`, asked twice: a broker that just stops hangs up as well, and then it is away."""
    if await refusal(servers) is None:
        return None
    await asyncio.sleep(CONFIRM_S)
    return await refusal(servers)


async def refusal(servers: str) -> str | None:
    """Why brokers will not have us, where waiting does not mend it; None where they are away, or well."""
    security = security_of(servers)
    for host, port, _ in collect_hosts(str(servers), randomize=False):
        reason = await refusal_of(host, port, security)
        if reason is not None:
            return f"Kafka at {host}:{port} {reason}"
    return None


async def refusal_of(host: str, port: int, security: Security) -> str | None:
    """Why one broker will not have us."""
    try:
        limit_ms = round(ANSWER_S * 1000)
        made = await create_conn(host, port, request_timeout_ms=limit_ms, **how(security))
    except BadFile as error:
        return f"cannot be reached by TLS: {error}"
    except (SaslAuthenticationFailed, UnsupportedSaslMechanismError, IllegalSaslStateError) as error:
        return refused_user(error, security)
    except ssl.SSLCertVerificationError as error:
        return refused_certificate(error, host, security)
    except (OSError, KafkaError) as error:
        return await other_protocol(host, port, security, error)
    with closing(made):
        try:
            await made.send(MetadataRequest([]))
        except (OSError, KafkaError) as error:
            return await other_protocol(host, port, security, error, answered=True)
    return None


def refused_user(error: BrokerResponseError, security: Security) -> str:
    """User, password or mechanism."""
    if isinstance(error, SaslAuthenticationFailed):
        return (
            f"refuses the user {security.username} by {security.mechanism}: is RINGBACK_KAFKA_SASL_PASSWORD "
            "right, and does Kafka know this user by this mechanism (RINGBACK_KAFKA_SASL_MECHANISM)?"
        )
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"does not know {security.mechanism} ({error}): set RINGBACK_KAFKA_SASL_MECHANISM"
    return f"wants no user and password at this port: set {PROTOCOL}={'ssl' if security.tls else 'plaintext'}"


def refused_certificate(error: ssl.SSLCertVerificationError, host: str, security: Security) -> str:
    """The broker's certificate is not believed."""
    trusted = security.ca_file or "the authorities of the system"
    return (
        f"has a certificate that is not believed ({error.verify_message.rstrip('.')}; trusted: {trusted}): "
        "set RINGBACK_KAFKA_SSL_CA_FILE to the authority that has signed it, and in KAFKA_BOOTSTRAP_SERVERS "
        f"name the host as the certificate does, not {host} if it has another name"
    )


async def other_protocol(
    host: str, port: int, security: Security, error: Exception, answered: bool = False
) -> str | None:
    """It listens, and expects something else than it hears; None where nobody listens or nothing is known."""
    try:
        speaks_tls = await speaks(host, port)
    except OSError:
        return None
    with_user = "sasl_ssl" if speaks_tls else "sasl_plaintext"
    if speaks_tls and not security.tls:
        return f"speaks TLS at this port: set {PROTOCOL}={with_user}, or ssl where there are no passwords"
    if security.tls and not speaks_tls:
        return f"does not speak TLS at this port: set {PROTOCOL}, or is it another port?"
    if (
        security.tls and not answered and isinstance(error, KafkaConnectionError)
    ):  # behind the handshake of TLS
        return (
            f"hangs up on us, {security.certificate_file or 'who have no certificate'}: set "
            "RINGBACK_KAFKA_SSL_CERT_FILE and RINGBACK_KAFKA_SSL_KEY_FILE to a certificate that it believes"
        )
    if answered and not security.sasl:
        asked = " or a certificate (RINGBACK_KAFKA_SSL_CERT_FILE)" if speaks_tls else ""
        return f"wants a user and a password{asked}: set {PROTOCOL}={with_user}"
    return None


async def speaks(host: str, port: int) -> bool:
    """Does a port speak TLS, with whatever certificate? Raises OSError where nobody listens, or all hangs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, plain = await asyncio.wait_for(asyncio.open_connection(host, port), ANSWER_S)
    plain.close()
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port, ssl=context), ANSWER_S)
    except TimeoutError:
        raise
    except OSError:
        return False
    writer.close()
    return True
