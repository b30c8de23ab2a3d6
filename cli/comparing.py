"""`ringback rebuild --compare-rules`: what other rules would change, before anything counts by them."""

import tomllib
from pathlib import Path

import typer
from clickhouse_connect.driver.client import Client
from pydantic import ValidationError

from cli.console import Format, out, print_json
from cli.printable import printable
from cli.replaying import SHOWN, line
from cli.rule_settings import RuleSettings, mistake
from cli.rule_values import rules_by
from cli.settings import Settings, rules_of
from kpis.rules import Rules
from reports.changes import Changes
from reports.other_rules import compare_rules


def other_rules(path: Path, config: Settings) -> Rules:
    """The rules of another file like ringback.toml. Raises typer.BadParameter."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} is no TOML: {error}") from None
    if not isinstance(document.get("rules"), dict):
        raise typer.BadParameter(f"{path} has no table [rules]: write it as in ringback.toml")
    try:
        given = RuleSettings(**document["rules"])
    except ValidationError as error:
        raise typer.BadParameter(f"{path}: {'; '.join(map(mistake, error.errors()))}") from None
    return rules_by(given, config.timezone, config.contact_max_events)


def compared_rules(
    connection: Client, config: Settings, path: Path, span: tuple[int, int] | None, memory_bytes: int
) -> Changes:
    """What these rules would change. Raises typer.BadParameter, ClickHouseError."""
    return compare_rules(connection, rules_of(config), other_rules(path, config), span, memory_bytes)


def told_rules(found: Changes, format: Format) -> None:
    """Say which windows are counted differently."""
    if format is Format.json:
        return print_json({"windows": found.windows, "changes": found.changes})
    out.print(f"{found.windows:,} windows are counted differently by these rules")
    for change in found.changes[:SHOWN]:
        out.print(printable(line(change)), highlight=False, markup=False, soft_wrap=True)
    if found.windows > SHOWN:
        out.print(f"... the rest with --format json ({len(found.changes):,} listed)")
    return None
