"""Settings from the environment or `ringback.toml`; names as README documents them."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from kpis.rules import DEFAULT_RULES, FcrRules, Rules
from schemas.time_units import HOUR_MS
from streams.config import StreamConfig

TOML = "ringback.toml"
YEAR_DAYS = 366

Seconds = Annotated[float, Field(ge=0, le=YEAR_DAYS * 86_400)]
Hours = Annotated[float, Field(gt=0, le=YEAR_DAYS * 24)]
Days = Annotated[int, Field(ge=1, le=YEAR_DAYS)]


class Table(BaseModel):
    """A table of ringback.toml: what is not known in it is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FcrSettings(Table):
    """How repeat contacts are judged."""

    windows_days: tuple[Days, ...] = Field(DEFAULT_RULES.fcr.windows_days, min_length=1)
    default_days: Days = DEFAULT_RULES.fcr.default_days
    match_reason: bool = DEFAULT_RULES.fcr.match_reason
    cross_channel: bool = DEFAULT_RULES.fcr.cross_channel
    begin: Literal["started", "entered"] = DEFAULT_RULES.fcr.begin
    evidence: Literal["any", "handled"] = DEFAULT_RULES.fcr.evidence
    anchors: Literal["handled", "closed"] = DEFAULT_RULES.fcr.anchors
    overlapping: bool = DEFAULT_RULES.fcr.overlapping

    @model_validator(mode="after")
    def windows_fit(self) -> "FcrSettings":
        """The default window is one of the windows, and each is there once."""
        if len(set(self.windows_days)) < len(self.windows_days):
            raise ValueError("windows_days has a length twice; name each once")
        if self.default_days not in self.windows_days:
            raise ValueError(f"default_days = {self.default_days} is none of windows_days; add it there")
        return self


class RuleSettings(Table):
    """Thresholds of the KPIs (kpis/rules.py). Channels that are not named keep their default target."""

    service_level_s: dict[str, Seconds] = {}
    service_level_default_s: Seconds = DEFAULT_RULES.service_level_default_ms / 1000
    service_level_by_queue_s: dict[str, Seconds] = {}
    short_abandon_s: Seconds = DEFAULT_RULES.short_abandon_ms / 1000
    skew_tolerance_s: Seconds = DEFAULT_RULES.skew_tolerance_ms / 1000
    future_tolerance_s: Seconds = DEFAULT_RULES.future_tolerance_ms / 1000
    async_channels: tuple[str, ...] = DEFAULT_RULES.async_channels
    stale_after_h: Hours = DEFAULT_RULES.stale_ms / HOUR_MS
    stale_after_async_h: Hours = DEFAULT_RULES.stale_async_ms / HOUR_MS
    survey_late_h: Hours = DEFAULT_RULES.survey_late_ms / HOUR_MS
    agent_state_max_h: Hours = DEFAULT_RULES.agent_state_max_ms / HOUR_MS
    acw_stale_s: Seconds = DEFAULT_RULES.acw_stale_ms / 1000
    fcr: FcrSettings = FcrSettings()


class Settings(BaseSettings):
    """Every setting, its variable and default. `ringback doctor` prints where each value came from."""

    model_config = SettingsConfigDict(toml_file=TOML, populate_by_name=True, extra="ignore")

    kafka_bootstrap_servers: str | None = Field(
        None, validation_alias="KAFKA_BOOTSTRAP_SERVERS", description="brokers to use; none: a local Kafka"
    )
    clickhouse_url: str | None = Field(
        None,
        validation_alias="CLICKHOUSE_URL",
        description="http(s)://user:password@host:port/database; none: embedded ClickHouse",
    )
    schema_registry_url: str | None = Field(
        None, validation_alias="SCHEMA_REGISTRY_URL", description="Confluent wire format by this registry"
    )
    data_dir: Path = Field(
        Path("ringback-data"),
        validation_alias="RINGBACK_DATA_DIR",
        description="all the local stack keeps",
    )
    kafka_port: int = Field(9092, validation_alias="RINGBACK_KAFKA_PORT", ge=1, le=65535)
    clickhouse_port: int = Field(8123, validation_alias="RINGBACK_CLICKHOUSE_PORT", ge=1, le=65535)
    metrics_host: str = Field(
        "127.0.0.1", validation_alias="RINGBACK_METRICS_HOST", description="where metrics are served"
    )
    metrics_port: int = Field(9464, validation_alias="RINGBACK_METRICS_PORT", ge=1, le=65535)
    timezone: str = Field("UTC", validation_alias="RINGBACK_TIMEZONE", description="reporting time zone")
    customer_key_secret: str | None = Field(
        None,
        validation_alias="RINGBACK_CUSTOMER_KEY_SECRET",
        description="key of the hash that replaces customer identifiers; none: made once in the data folder",
    )
    cache_dir: Path | None = Field(
        None, validation_alias="RINGBACK_CACHE_DIR", description="where jars are kept"
    )
    maven_repository: str | None = Field(
        None, validation_alias="RINGBACK_MAVEN_REPOSITORY", description="where jars come from"
    )
    partitions: int = Field(4, validation_alias="RINGBACK_PARTITIONS", ge=1, le=1000)
    replication: int = Field(1, validation_alias="RINGBACK_REPLICATION", ge=1, le=9)
    state_store: Literal["memory", "rocksdict"] = Field(
        "memory", validation_alias="RINGBACK_STATE_STORE", description="where a worker keeps its state"
    )
    epoch: int = Field(0, validation_alias="RINGBACK_EPOCH", ge=0, lt=2**20)
    dead_letter_max_share: float = Field(0.5, validation_alias="RINGBACK_DEAD_LETTER_MAX_SHARE", ge=0, le=1)
    log_level: str = Field("INFO", validation_alias="RINGBACK_LOG_LEVEL")
    rules: Annotated[RuleSettings | None, NoDecode] = Field(
        None, validation_alias="RINGBACK_RULES", description="thresholds of the KPIs; none: the defaults"
    )

    @field_validator("rules", mode="before")
    @classmethod
    def readable_rules(cls, value: Any) -> Any:
        """A table of the file or JSON of the environment, with every mistake named by its place in it."""
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except json.JSONDecodeError as error:
                raise ValueError(f'no JSON ({error}); write {{"short_abandon_s": 5}}') from error
        try:
            return None if value is None else RuleSettings.model_validate(value)
        except ValidationError as error:
            raise ValueError("; ".join(mistake(item) for item in error.errors())) from error

    @field_validator("timezone")
    @classmethod
    def known_zone(cls, value: str) -> str:
        """A zone of the IANA database."""
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("no time zone of that name; use one such as Europe/Rome") from error
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file."""
        try:
            file = TomlConfigSettingsSource(settings_cls)
        except tomllib.TOMLDecodeError as error:
            raise typer.BadParameter(f"{TOML} is no TOML: {error}") from error
        return init_settings, env_settings, file

    @property
    def bootstrap_servers(self) -> str:
        """Brokers to talk to, local or given."""
        return self.kafka_bootstrap_servers or f"127.0.0.1:{self.kafka_port}"

    @property
    def clickhouse(self) -> str:
        """ClickHouse to talk to, embedded or given."""
        return self.clickhouse_url or f"http://127.0.0.1:{self.clickhouse_port}/ringback"


def mistake(error: Any) -> str:
    """What is wrong in the rules, and where."""
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        known = FcrSettings.model_fields if where.startswith("fcr.") else RuleSettings.model_fields
        return f"{where}: no such rule; there are {', '.join(known)}"
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {said}" if where else said


def rules_of(settings: Settings) -> Rules:
    """How events are counted, by these settings."""
    given = settings.rules
    if given is None:
        return DEFAULT_RULES

    def ms(value: float, unit_ms: int = 1000) -> int:
        return round(value * unit_ms)

    return Rules(
        service_level_ms=DEFAULT_RULES.service_level_ms
        | {channel: ms(seconds) for channel, seconds in given.service_level_s.items()},
        service_level_default_ms=ms(given.service_level_default_s),
        service_level_by_queue_ms={
            queue: ms(seconds) for queue, seconds in given.service_level_by_queue_s.items()
        },
        short_abandon_ms=ms(given.short_abandon_s),
        skew_tolerance_ms=ms(given.skew_tolerance_s),
        future_tolerance_ms=ms(given.future_tolerance_s),
        async_channels=given.async_channels,
        stale_ms=ms(given.stale_after_h, HOUR_MS),
        stale_async_ms=ms(given.stale_after_async_h, HOUR_MS),
        survey_late_ms=ms(given.survey_late_h, HOUR_MS),
        agent_state_max_ms=ms(given.agent_state_max_h, HOUR_MS),
        acw_stale_ms=ms(given.acw_stale_s),
        fcr=FcrRules(**given.fcr.model_dump()),
    )


def stream_config(settings: Settings) -> StreamConfig:
    """What the worker needs of the settings."""
    return StreamConfig(
        bootstrap_servers=settings.bootstrap_servers,
        partitions=settings.partitions,
        replication=settings.replication,
        epoch=settings.epoch,
        state_dir=settings.data_dir / "state",
        state_store=settings.state_store,
        rules=rules_of(settings),
        dead_letter_max_share=settings.dead_letter_max_share,
    )
