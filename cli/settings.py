"""Settings from the environment or `ringback.toml`.

The descriptions become docs/reference/settings.md (`make docs`), in Markdown.
"""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from cli.addresses import http_address
from cli.alert_settings import AlertSettings
from cli.business_hours import known_zone
from cli.json_setting import from_json
from cli.kafka_settings import KafkaSettings
from cli.rule_settings import RuleSettings, mistake
from cli.rule_values import rules_by
from deploy.local.clickhouse.process import owner_address
from kpis.rules import DEFAULT_RULES, Rules
from schemas.brokers import Security
from streams.kafka.tls import tls_context

TOML = "ringback.toml"


class Settings(AlertSettings, KafkaSettings):
    """Every setting, its variable and default. `ringback doctor` prints where each value came from."""

    model_config = SettingsConfigDict(
        toml_file=TOML, populate_by_name=True, extra="ignore", hide_input_in_errors=True
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
    schema_registry_ca_file: Path | None = Field(
        None,
        validation_alias="SCHEMA_REGISTRY_CA_FILE",
        description="Certificates, PEM, of the authorities that may have signed that of the registry. None: "
        "the authorities of the system.",
    )
    data_dir: Path = Field(
        Path("ringback-data"),
        validation_alias="RINGBACK_DATA_DIR",
        description="Folder of all that the local stack keeps.",
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
    corrections_days: int = Field(
        35,
        validation_alias="RINGBACK_CORRECTIONS_DAYS",
        ge=0,
        le=3650,
        description="For how many days what windows showed when is kept: `ringback explain --corrections`.",
    )
    timezone: str = Field(
        "UTC",
        validation_alias="RINGBACK_TIMEZONE",
        description="Reporting time zone, such as `Europe/Rome`: of dates on the command line, and of hours, "
        "days, weeks and months in `ringback kpi` and the views.",
    )
    timezone_by_queue: Annotated[dict[str, str], NoDecode] = Field(
        {},
        validation_alias="RINGBACK_TIMEZONE_BY_QUEUE",
        description='Zones of queues that have another one: `{tokyo = "Asia/Tokyo"}`. Where queues are told '
        "apart (`--by queue`, the views, `explain --queue`), dates and periods of a queue are those of its "
        "zone; sums over several queues keep to the reporting one.",
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
    partitioner: Literal["murmur2", "any"] = Field(
        "murmur2",
        validation_alias="RINGBACK_PARTITIONER",
        description="How producers choose a contact's partition: `murmur2`, as the Java client does, and "
        "what is in another partition is a dead letter. `any`: not looked at, for topics that all producers "
        "have always filled by one other partitioner. See [sending](../guide/sending.md#partitioners).",
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
        description="Least epoch of the rows that the worker writes. Where its rows have a lesser one, it "
        "counts everything anew at its start, and what it publishes beats all of before. Leave it, unless "
        "[`ringback heal`](../operating/recovery.md#contacts-in-a-wrong-partition) says otherwise.",
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
            value = from_json(value, '{"short_abandon_s": 5}')
        try:
            return None if value is None else RuleSettings.model_validate(value)
        except ValidationError as error:
            raise ValueError("; ".join(mistake(item) for item in error.errors())) from error

    @field_validator("clickhouse_url", "schema_registry_url", "maven_repository")
    @classmethod
    def usable_address(cls, value: str | None) -> str | None:
        """An address of HTTP; a mistake in it must not bring a password into a message."""
        return http_address(value) if value else value

    @field_validator("schema_registry_ca_file")
    @classmethod
    def usable_authorities(cls, value: Path | None) -> Path | None:
        """A file of certificates."""
        tls_context(Security("ssl", ca_file=value))
        return value

    @field_validator("timezone")
    @classmethod
    def usable_zone(cls, value: str) -> str:
        """A zone of the IANA database."""
        return known_zone(value)

    @field_validator("timezone_by_queue", mode="before")
    @classmethod
    def readable_zones(cls, value: Any) -> Any:
        """A table of the file or JSON of the environment."""
        return from_json(value, '{"tokyo": "Asia/Tokyo"}') if isinstance(value, str) else value

    @field_validator("timezone_by_queue")
    @classmethod
    def usable_zones(cls, value: dict[str, str]) -> dict[str, str]:
        """Zones of the IANA database."""
        return {queue: known_zone(zone) for queue, zone in value.items()}

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
    def clickhouse(self) -> str:
        """ClickHouse to talk to, embedded or given, with the password of our own commands.

        Raises LocalStackError when the file that holds it cannot be read.
        """
        return self.clickhouse_url or owner_address(self.data_dir, self.clickhouse_port, self.clickhouse_host)


def rules_of(settings: Settings) -> Rules:
    """How events are counted, by these settings."""
    if settings.rules is None:
        return replace(DEFAULT_RULES, contact_max_events=settings.contact_max_events)
    return rules_by(settings.rules, settings.timezone, settings.contact_max_events)
