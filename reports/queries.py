"""Asking ClickHouse: rows as dictionaries, times as JSON has them."""

from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client


def utc(value: datetime) -> str:
    """A time as JSON has it."""
    return value.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")


def rows(client: Client, sql: str, parameters: dict[str, object]) -> list[dict[str, Any]]:
    """Result of a query, a dict per row."""
    result = client.query(sql, parameters=parameters)
    return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]
