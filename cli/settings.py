"""Settings from the environment or `ringback.toml`; names as README documents them."""

from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from kpis.rules import DEFAULT_RULES
from streams.config import StreamConfig

TOML = "ringback.toml"


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
    epoch: int = Field(0, validation_alias="RINGBACK_EPOCH", ge=0, lt=2**20)
    dead_letter_max_share: float = Field(0.5, validation_alias="RINGBACK_DEAD_LETTER_MAX_SHARE", ge=0, le=1)
    log_level: str = Field("INFO", validation_alias="RINGBACK_LOG_LEVEL")

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
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def bootstrap_servers(self) -> str:
        """Brokers to talk to, local or given."""
        return self.kafka_bootstrap_servers or f"127.0.0.1:{self.kafka_port}"

    @property
    def clickhouse(self) -> str:
        """ClickHouse to talk to, embedded or given."""
        return self.clickhouse_url or f"http://127.0.0.1:{self.clickhouse_port}/ringback"


def stream_config(settings: Settings) -> StreamConfig:
    """What the worker needs of the settings."""
    return StreamConfig(
        bootstrap_servers=settings.bootstrap_servers,
        partitions=settings.partitions,
        replication=settings.replication,
        epoch=settings.epoch,
        state_dir=settings.data_dir / "state",
        rules=DEFAULT_RULES,
        dead_letter_max_share=settings.dead_letter_max_share,
    )
