"""What the gateway is told: addresses, secrets and limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapters.kit.source import Source
from adapters.registry import SOURCES
from adapters.sending.records import Encode
from gateway.limits import DEFAULTS, Limits
from gateway.proxies import Networks
from schemas.codec import encode


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Everything that the gateway needs. Without `tokens` /v1/events is open to whoever reaches it.

    `secrets` are those of the webhook sources, by name; two of them during a rotation. A source without
    one is not served. `spool` is the folder of what Kafka does not take now; with None such events
    are refused.
    """

    bootstrap_servers: str
    customer_secret: bytes
    host: str = "127.0.0.1"
    port: int = 8087
    tokens: tuple[bytes, ...] = ()
    secrets: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    limits: Limits = DEFAULTS
    encode: Encode = encode
    sources: tuple[Source, ...] = SOURCES
    trusted_proxies: Networks = ()
    spool: Path | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
