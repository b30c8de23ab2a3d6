"""Settings from the environment or `ringback.toml`.

The descriptions become docs/reference/settings.md (`make docs`), in Markdown.
"""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from cli.addresses import brokers, http_address
from cli.rule_settings import RuleSettings, mistake
from deploy.local.clickhouse.process import owner_address
from kpis.rules import DEFAULT_RULES, FcrRules, Rules
from schemas.time_units import HOUR_MS
from streams.config import StreamConfig

TOML = "ringback.toml"


class Settings(BaseSettings):
    """Every setting, its variable and default. `ringback doctor` prints where each value came from."""

    model_config = SettingsConfigDict(toml_file=TOML, populate_by_name=True, extra="ignore")

    kafka_bootstrap_servers: str | None = Field(
        None,
        validation_alias="KAFKA_BOOTSTRAP_SERVERS",
        description="Kafka brokers to use, `host:port,host:port`. None: the local Kafka. "
        "Plain text only, no TLS or SASL yet.",
    )
    clickhouse_url: str | None = Field(
        None,
        validation_alias="CLICKHOUSE_URL",
        description="ClickHouse to use, `http(s)://user:password@host:port/database`. "
        "None: the embedded one.",
    )
    schema_registry_url: str | None = Field(
        None,
        validation_alias="SCHEMA_REGISTRY_URL",
        description="Schema registry with the Confluent API, `http(s)://user:password@host:port/path`. "
        "None: single-object encoding. See [sending](../guide/sending.md#confluent-wire-format).",
    )
    data_dir: Path = Field(
        Path("ringback-data"),
        validation_alias="RINGBACK_DATA_DIR",
        description="Folder of all that the local stack keeps.",
    )
    kafka_port: int = Field(
        9092,
        validation_alias="RINGBACK_KAFKA_PORT",
        ge=1,
        le=65535,
        description="Loopback port of the local Kafka.",
    )
    clickhouse_port: int = Field(
        8123,
        validation_alias="RINGBACK_CLICKHOUSE_PORT",
        ge=1,
        le=65535,
        description="Loopback port of the embedded ClickHouse.",
    )
    clickhouse_host: str = Field(
        "127.0.0.1",
        validation_alias="RINGBACK_CLICKHOUSE_HOST",
        description="Address that the embedded ClickHouse listens on; `0.0.0.0` for all of the machine, so "
        "that tools in containers reach it. There is no TLS: keep to a network of your own, or put a proxy "
        "before it.",
    )
    clickhouse_allowed_hosts: str = Field(
        "",
        validation_alias="RINGBACK_CLICKHOUSE_ALLOWED_HOSTS",
        description="Names, `a,b`, by which clients may call the embedded ClickHouse besides `localhost` and "
        "the address it listens on, such as `host.docker.internal`. Others are refused, as a web page could "
        "have pointed them here.",
    )
    metrics_host: str = Field(
        "127.0.0.1",
        validation_alias="RINGBACK_METRICS_HOST",
        description="Address that [metrics](metrics.md) are served on; in the image `0.0.0.0`.",
    )
    metrics_port: int = Field(
        9464,
        validation_alias="RINGBACK_METRICS_PORT",
        ge=1,
        le=65535,
        description="Port of a worker's metrics; a sink's is 16 above it. The second worker of `ringback up` "
        "has the next one, and so on.",
    )
    timezone: str = Field(
        "UTC",
        validation_alias="RINGBACK_TIMEZONE",
        description="Reporting time zone, such as `Europe/Rome`: of dates on the command line, and of hours, "
        "days, weeks and months in `ringback kpi` and the views.",
    )
    customer_key_secret: str | None = Field(
        None,
        validation_alias="RINGBACK_CUSTOMER_KEY_SECRET",
        description="Key of the hash that replaces customer identifiers. None: made once and kept in the "
        "data folder. Use the same one for all importers.",
    )
    unknown_customers: str = Field(
        "",
        validation_alias="RINGBACK_UNKNOWN_CUSTOMERS",
        description="Further names, comma separated, that your systems write for a customer they do not "
        "know, such as `kunde x,9999`. They are nobody, as `anonymous` is, and match no other contact.",
    )
    cache_dir: Path | None = Field(
        None,
        validation_alias="RINGBACK_CACHE_DIR",
        description="Where the jars of Kafka are kept. None: the user's cache folder (`~/.cache/ringback`, "
        "or under `XDG_CACHE_HOME`).",
    )
    maven_repository: str | None = Field(
        None,
        validation_alias="RINGBACK_MAVEN_REPOSITORY",
        description="Where these jars come from, such as a mirror. None: Maven Central.",
    )
    partitions: int = Field(
        4,
        validation_alias="RINGBACK_PARTITIONS",
        ge=1,
        le=1000,
        description="Partitions of the topics when they are created: the most workers that can share the "
        "work. Cannot be changed later.",
    )
    replication: int = Field(
        1,
        validation_alias="RINGBACK_REPLICATION",
        ge=1,
        le=9,
        description="Copies of each topic when it is created. 3 on a cluster.",
    )
    state_store: Literal["memory", "rocksdict"] = Field(
        "memory",
        validation_alias="RINGBACK_STATE_STORE",
        description="Where a worker keeps its state: `memory`, or `rocksdict`, on disk under "
        "`RINGBACK_DATA_DIR` (`pip install 'ringback[disk]'`). Kafka has it all either way.",
    )
    epoch: int = Field(
        0,
        validation_alias="RINGBACK_EPOCH",
        ge=0,
        lt=2**20,
        description="Least epoch of the rows that the worker writes. Leave it; it is for rebuilds, which are "
        "not there yet.",
    )
    dead_letter_max_share: float = Field(
        0.5,
        validation_alias="RINGBACK_DEAD_LETTER_MAX_SHARE",
        ge=0,
        le=1,
        description="A worker stops when more than this share of the last 5,000 records or so are no events.",
    )
    contact_max_events: int = Field(
        DEFAULT_RULES.contact_max_events,
        validation_alias="RINGBACK_CONTACT_MAX_EVENTS",
        ge=10,
        le=DEFAULT_RULES.contact_max_events,
        description="Events of one contact that count, those with the smallest `event_id`s; the rest are "
        "dead letters. Part of the rules: set the same for worker, `verify` and `kpi`. Not more, because a "
        "contact's events, and so its legs, must fit into one record of Kafka.",
    )
    log_level: str = Field(
        "INFO",
        validation_alias="RINGBACK_LOG_LEVEL",
        description="`DEBUG`, `INFO`, `WARNING` or `ERROR`.",
    )
    rules: Annotated[RuleSettings | None, NoDecode] = Field(
        None,
        validation_alias="RINGBACK_RULES",
        description="What vendors count differently, as JSON; in the file a table `[rules]`, see below. "
        "None: the defaults.",
    )

    @field_validator("rules", mode="before")
    @classmethod
    def readable_rules(cls, value: Any) -> Any:
        """A table of the file or JSON of the environment, with every mistake named by its place in it."""
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except (json.JSONDecodeError, RecursionError) as error:
                said = "nested too deeply" if isinstance(error, RecursionError) else str(error)
                raise ValueError(f'no JSON ({said}); write {{"short_abandon_s": 5}}') from error
        try:
            return None if value is None else RuleSettings.model_validate(value)
        except ValidationError as error:
            raise ValueError("; ".join(mistake(item) for item in error.errors())) from error

    @field_validator("clickhouse_url", "schema_registry_url", "maven_repository")
    @classmethod
    def usable_address(cls, value: str | None) -> str | None:
        """An address of HTTP; a mistake in it must not bring a password into a message."""
        return http_address(value) if value else value

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def usable_brokers(cls, value: str | None) -> str | None:
        """Addresses that the client of Kafka understands."""
        return brokers(value) if value else value

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
        if Path(TOML).is_dir():
            raise typer.BadParameter(f"{TOML} cannot be read: it is a folder")
        try:
            file = TomlConfigSettingsSource(settings_cls)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise typer.BadParameter(f"{TOML} is no TOML: {error}") from error
        except OSError as error:
            raise typer.BadParameter(f"{TOML} cannot be read: {error.strerror}") from error
        return init_settings, env_settings, file

    @property
    def bootstrap_servers(self) -> str:
        """Brokers to talk to, local or given."""
        return self.kafka_bootstrap_servers or f"127.0.0.1:{self.kafka_port}"

    @property
    def clickhouse(self) -> str:
        """ClickHouse to talk to, embedded or given, with the password of our own commands.

        Raises LocalStackError when the file that holds it cannot be read.
        """
        return self.clickhouse_url or owner_address(self.data_dir, self.clickhouse_port, self.clickhouse_host)


def rules_of(settings: Settings) -> Rules:
    """How events are counted, by these settings."""
    given = settings.rules
    if given is None:
        return replace(DEFAULT_RULES, contact_max_events=settings.contact_max_events)

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
        contact_max_events=settings.contact_max_events,
        fcr=FcrRules(**given.fcr.model_dump(exclude={"min_gap_s"}), min_gap_ms=ms(given.fcr.min_gap_s)),
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
