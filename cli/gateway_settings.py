"""Settings of the gateway, beside all others. Secrets of sources are read by cli/gateway_secrets.py."""

from pathlib import Path

from pydantic import Field

from cli.source_settings import SourceSettings
from gateway.limits import DEFAULTS


class GatewaySettings(SourceSettings):
    """Every setting, those of the gateway included."""

    gateway_host: str = Field(
        "127.0.0.1",
        validation_alias="RINGBACK_GATEWAY_HOST",
        description="Address that the gateway listens on; `0.0.0.0` for all of the machine, which asks for "
        "a token. See [the gateway](../guide/gateway.md).",
    )
    gateway_port: int = Field(
        8087,
        validation_alias="RINGBACK_GATEWAY_PORT",
        ge=1,
        le=65535,
        description="Port of the gateway; its metrics are 32 above `RINGBACK_METRICS_PORT`.",
    )
    gateway_token: str | None = Field(
        None,
        validation_alias="RINGBACK_GATEWAY_TOKEN",
        description="Token that programs send to `/v1/events`. Several, one a line, are all good: for a "
        "rotation. None: open, which is allowed on a loopback address alone.",
    )
    gateway_token_file: Path | None = Field(
        None,
        validation_alias="RINGBACK_GATEWAY_TOKEN_FILE",
        description="File that holds the tokens, one a line, in place of `RINGBACK_GATEWAY_TOKEN`.",
    )
    mappings: Path | None = Field(
        None,
        validation_alias="RINGBACK_MAPPINGS",
        description="Folder of your own [mappings](../guide/mappings.md), `*.yaml`; the gateway serves each "
        "at `/v1/sources/NAME`, with the secret in `RINGBACK_SECRET_NAME`.",
    )
    gateway_certificate: Path | None = Field(
        None,
        validation_alias="RINGBACK_GATEWAY_CERTIFICATE",
        description="Certificate chain (PEM) for TLS. None: plain HTTP, to be put behind a proxy with TLS.",
    )
    gateway_certificate_key: Path | None = Field(
        None,
        validation_alias="RINGBACK_GATEWAY_CERTIFICATE_KEY",
        description="Key of the certificate (PEM). None: it is in the same file.",
    )
    gateway_body_max_bytes: int = Field(
        DEFAULTS.body_max_bytes,
        validation_alias="RINGBACK_GATEWAY_BODY_MAX_BYTES",
        ge=1_000,
        le=50_000_000,
        description="Largest body that is taken; others get 413.",
    )
    gateway_requests_max: int = Field(
        DEFAULTS.requests_max,
        validation_alias="RINGBACK_GATEWAY_REQUESTS_MAX",
        ge=1,
        le=10_000,
        description="Requests that are answered at the same time; more get 503 with Retry-After. Times the "
        "largest body it bounds the gateway's memory.",
    )
    gateway_source_requests_max: int = Field(
        DEFAULTS.source_requests_max,
        validation_alias="RINGBACK_GATEWAY_SOURCE_REQUESTS_MAX",
        ge=1,
        le=10_000,
        description="Those of one source among them; more get 429 with Retry-After, so that no source keeps "
        "out the others.",
    )
    gateway_trusted_proxies: str = Field(
        "",
        validation_alias="RINGBACK_GATEWAY_TRUSTED_PROXIES",
        description="Addresses or networks of your proxies, with commas. From them alone `X-Forwarded-Proto` "
        "and `X-Forwarded-Host` count: some systems sign the address that they post to.",
    )
    gateway_spool: Path | None = Field(
        None,
        validation_alias="RINGBACK_GATEWAY_SPOOL",
        description="Folder in which events lie, synced to the disk, while Kafka does not take them. None: "
        "`gateway-spool` in `RINGBACK_DATA_DIR`. Each gateway has its own.",
    )
    gateway_spool_max_bytes: int = Field(
        DEFAULTS.spool_max_bytes,
        validation_alias="RINGBACK_GATEWAY_SPOOL_MAX_BYTES",
        ge=0,
        le=1_000_000_000_000,
        description="Its largest size; then events get 503 with Retry-After. 0: no spool.",
    )
    gateway_rate_max: int = Field(
        DEFAULTS.rate_max,
        validation_alias="RINGBACK_GATEWAY_RATE_MAX",
        ge=1,
        le=1_000_000,
        description="Requests a second of one source; more get 429.",
    )
