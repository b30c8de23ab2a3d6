"""Settings of the wallboard, beside all others."""

from pathlib import Path

from pydantic import Field

from cli.gateway_settings import GatewaySettings


class WallboardSettings(GatewaySettings):
    """Every setting, those of the wallboard included."""

    wallboard_host: str = Field(
        "127.0.0.1",
        validation_alias="RINGBACK_WALLBOARD_HOST",
        description="Address that the wallboard listens on; `0.0.0.0` for all of the machine, which asks for "
        "a token. See [the wallboard](../guide/wallboard.md).",
    )
    wallboard_port: int = Field(
        8088,
        validation_alias="RINGBACK_WALLBOARD_PORT",
        ge=1,
        le=65535,
        description="Port of the wallboard; its metrics are 64 above `RINGBACK_METRICS_PORT`.",
    )
    wallboard_token: str | None = Field(
        None,
        validation_alias="RINGBACK_WALLBOARD_TOKEN",
        description="Token that a screen has to show once, by `?token=...` at the end of the address. "
        "Several, one a line, are all good. None: open, which is allowed on a loopback address alone.",
    )
    wallboard_token_file: Path | None = Field(
        None,
        validation_alias="RINGBACK_WALLBOARD_TOKEN_FILE",
        description="File that holds the tokens, one a line, in place of `RINGBACK_WALLBOARD_TOKEN`.",
    )
    wallboard_file: Path | None = Field(
        None,
        validation_alias="RINGBACK_WALLBOARD_FILE",
        description="File with the queues, their order, names and targets "
        "([the wallboard](../guide/wallboard.md#queues-targets-and-names)). None: every queue, by its name.",
    )
