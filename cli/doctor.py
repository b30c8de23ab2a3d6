"""`ringback doctor`: what is reachable, what lags, where settings come from, and what to do about it."""

import asyncio
import logging
import os
import platform
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from pydantic import AliasChoices
from rich.markup import escape
from rich.table import Table

from cli.clickhouse import short
from cli.console import NO, UNREACHABLE, Format, out, print_json, settings
from cli.placing import wrongly_placed
from cli.settings import TOML, Settings, rules_of
from cli.wallboard_settings import WallboardSettings
from reports.rules_in_use import differing_rules
from schemas.topics import PASSED_ON_TOPICS, RAW_TOPICS, SINK_GROUP, SINK_TOPICS, WORKER_GROUP
from sinks.connection import connect, without_secret
from sql.dead_letter_queries import open_by_reason
from streams.health.group_lag import OffsetReader
from streams.kafka.connecting import KafkaRefuses

REASONS_SHOWN = 5
SILENT_S = 600  # of a source that gives signs of life
SECRET = frozenset(
    {
        "customer_key_secret",
        "gateway_token",
        "wallboard_token",
        "kafka_sasl_password",
        "kafka_ssl_key_password",
    }
)
ADDRESSES = frozenset({"clickhouse_url", "schema_registry_url", "maven_repository"})  # may hold a password


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: is it well, what was seen, and what to do if it is not."""

    what: str
    well: bool
    seen: str
    remedy: str = ""
    unreachable: bool = False


async def kafka_findings(config: Settings) -> list[Finding]:
    """Is Kafka there, and how far are worker and sink?"""
    servers = config.bootstrap_servers
    try:
        async with OffsetReader(servers) as watch:
            found = [Finding("Kafka", True, servers)]
            for who, group, topics in (
                ("worker", WORKER_GROUP, RAW_TOPICS),
                ("worker between its stages", WORKER_GROUP, PASSED_ON_TOPICS),
                ("sink", SINK_GROUP, SINK_TOPICS),
            ):
                behind = sum(lag.events for lag in await watch.lags(group, topics))
                remedy = f"if this does not shrink: is a {who.split()[0]} running? `ringback up`, or its log"
                found.append(Finding(f"lag of the {who}", behind == 0, f"{behind:,} records", remedy))
        astray = await wrongly_placed(config)
        remedy = "set partitioner=murmur2_random in that producer, then run `ringback heal`"
        found.append(Finding("partitions of contacts", not astray, astray or "as they must be", remedy))
        return found
    except KafkaRefuses as error:
        remedy = "docs/operating/kafka.md says what is to be set"
        return [Finding("Kafka", False, str(error), remedy, unreachable=True)]
    except (KafkaError, OSError) as error:
        remedy = "start `ringback up`, or set KAFKA_BOOTSTRAP_SERVERS to brokers that answer"
        return [Finding("Kafka", False, f"{servers}: {short(error)}", remedy, unreachable=True)]


def clickhouse_findings(config: Settings) -> list[Finding]:
    """Is ClickHouse there, with our tables, and what was refused?"""
    address = without_secret(config.clickhouse)
    try:
        client = connect(config.clickhouse)
        version = f"{address}, version {client.server_version}"
        found = [Finding("ClickHouse", True, version)]
        letters = [(str(reason), int(n)) for reason, n in client.query(open_by_reason()).result_rows]
    except (ClickHouseError, OSError) as error:
        remedy = "start `ringback up`, or set CLICKHOUSE_URL to a server that answers"
        return [Finding("ClickHouse", False, f"{address}: {short(error)}", remedy, unreachable=True)]
    remedy = "see `ringback dead-letters list`"
    found.append(Finding("open dead letters", not letters, letters_seen(letters), remedy))
    return [*found, *source_findings(client), *rules_findings(client, config)]


def letters_seen(letters: list[tuple[str, int]]) -> str:
    """How many there are, and of the reasons the most frequent."""
    most = ", ".join(f"{n:,} {reason}" for reason, n in letters[:REASONS_SHOWN])
    more = ", ..." if len(letters) > REASONS_SHOWN else ""
    return f"{sum(n for _, n in letters):,}" + (f": {most}{more}" if letters else "")


def source_findings(client: Client) -> list[Finding]:
    """When was each source last heard? One that gives signs of life must go on giving them."""
    try:
        beats = "last_heartbeat_at IS NOT NULL"
        query = f"SELECT source, {beats}, is_live, silent_s, gap_n FROM source_health ORDER BY 1"  # noqa: S608
        rows = client.query(query).result_rows
    except (ClickHouseError, OSError) as error:
        return [Finding("sources", False, short(error), "start a sink of this version")]
    return [source_finding(str(row[0]), bool(row[1]), bool(row[2]), *map(int, row[3:])) for row in rows]


def source_finding(source: str, beats: bool, live: bool, silent_s: int, gaps: int) -> Finding:
    """One source. A file that was imported once is not missed, whatever signs of life stand in it."""
    seen = f"last {'sign of life' if beats else 'event'} {ago(silent_s)} ago, by its own clock"
    if beats and not live:
        seen += "; it was told long after that: a file or a simulation"
    seen += f"; lost lines {gaps} times, as the dead letters lines_lost say" if gaps else ""
    remedy = "is its gateway, `ringback follow` or connection running, and does the system still post?"
    return Finding(f"source {source}", not (live and silent_s > SILENT_S), seen, remedy)


def ago(seconds: int) -> str:
    """A time in its two greatest units."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")) if n]
    return " ".join(parts[:2]) or "0 s"


def rules_findings(client: Client, config: Settings) -> list[Finding]:
    """Do worker and sink count by the rules that are set here?"""
    try:
        differing = differing_rules(client, rules_of(config))
    except (ClickHouseError, OSError) as error:
        return [Finding("rules", False, short(error), "start a sink of this version")]
    remedy = "give all parts the same settings and restart them"
    if not differing:
        return [Finding("rules", True, "worker, sink and this command count alike")]
    return [Finding("rules", False, said, remedy) for said in differing]


def origin_of(name: str) -> tuple[str, str]:
    """Variable of a setting, and where its value comes from."""
    alias = WallboardSettings.model_fields[name].validation_alias
    variable = str(alias.choices[0] if isinstance(alias, AliasChoices) else alias)
    if variable in os.environ:
        return variable, "environment"
    file = Path(TOML)
    if file.exists() and {name, variable} & tomllib.loads(file.read_text()).keys():
        return variable, TOML
    return variable, "default"


def settings_rows(config: Settings) -> list[tuple[str, str, str]]:
    """(variable, value, origin); secrets are not shown."""
    rows = []
    for name in WallboardSettings.model_fields:
        value: Any = getattr(config, name)
        shown = "set, not shown" if name in SECRET and value else str(value)
        if name in ADDRESSES and value:
            shown = without_secret(value)
        variable, origin = origin_of(name)
        rows.append((variable, shown, origin))
    return rows


def doctor(format: Annotated[Format, typer.Option(help="text or json.")] = Format.text) -> None:
    """What is reachable, versions, lag, settings, and what to do about what is wrong.

    Example: ringback doctor
    """
    config = settings()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    findings = [Finding("Python", True, platform.python_version())]
    findings += asyncio.run(kafka_findings(config)) + clickhouse_findings(config)
    rows = settings_rows(config)
    if format is Format.json:
        names = ("what", "well", "seen", "remedy")
        checks = [{name: getattr(finding, name) for name in names} for finding in findings]
        listed = [{"variable": v, "value": value, "origin": origin} for v, value, origin in rows]
        print_json({"checks": checks, "settings": listed})
    else:
        print_findings(findings, rows)
    if any(finding.unreachable for finding in findings):
        raise typer.Exit(UNREACHABLE)
    if not all(finding.well for finding in findings):
        raise typer.Exit(NO)


def print_findings(findings: list[Finding], rows: list[tuple[str, str, str]]) -> None:
    """Findings with their remedies, then the settings."""
    table = Table("", "what", "seen", "what to do", box=None)
    for finding in findings:
        mark = "[green]ok[/]" if finding.well else "[red]!![/]"
        table.add_row(mark, finding.what, escape(finding.seen), "" if finding.well else finding.remedy)
    out.print(table)
    listed = Table("setting", "value", "from", box=None)
    for row in rows:
        listed.add_row(*(escape(cell) for cell in row))
    out.print(listed)
