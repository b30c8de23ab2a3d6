"""Rules that are queries: what ClickHouse says to them beforehand, and who cannot decide them again."""

from collections.abc import Iterator
from pathlib import Path

from clickhouse_connect.driver.exceptions import ClickHouseError

from alerts.asking import QueryFault, described
from alerts.file_faults import line_at
from alerts.rule import RuleFile
from alerts.rule_file import read_model, text_of
from cli.alerting.files import now_ms
from cli.settings import Settings
from sinks.connection import connect, without_secret


def query_faults(config: Settings, file: RuleFile, path: Path) -> Iterator[str]:
    """Each query that ClickHouse would not take, with file and line. Raises ClickHouseError, OSError."""
    if not file.queries:
        return
    _, lines = read_model(RuleFile, text_of(path), str(path))
    with connect(config.clickhouse) as client:
        for g, group in enumerate(file.groups):
            places = {rule.alert: r for r, rule in enumerate(group.rules)}
            for rule, when in group.queries:
                try:
                    described(client, rule, when, now_ms())
                except QueryFault as fault:
                    where = ("groups", g, "rules", places[rule.alert], "when", "query")
                    yield f"{path}:{line_at(lines, where)}: the query of {rule.alert}: {fault}"


def unchecked(config: Settings, file: RuleFile) -> str:
    """Why queries were not held against ClickHouse."""
    names = ", ".join(file.queries)
    where = without_secret(config.clickhouse)
    return f"not checked: {names}, as no ClickHouse answers at {where}; alerts run asks it every time"


def left_out(file: RuleFile, what: str) -> list[str]:
    """Said by what decides rules again, where some are queries."""
    names = ", ".join(file.queries)
    return [f"not {what}: {names}, decided by a query on ClickHouse as it stood then"] if names else []


NO_ANSWER = (ClickHouseError, OSError)
