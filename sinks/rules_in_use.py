"""By which rules each part counts, as ClickHouse keeps it: worker by partition, and sink."""

from typing import Any

import orjson
from clickhouse_connect.driver.client import Client

from kpis.rules import Rules

COLUMNS = ("part", "rules", "version")
SINK = "sink"


def rules_row(offset: int, document: Any) -> list[Any]:
    """Row of a record of rules-in-use. Raises TypeError or KeyError where it is none."""
    partition, rules = document["partition"], document["rules"]
    if type(partition) is not int or type(rules) is not dict:
        raise TypeError("rules-in-use: no rules of a partition")
    return [f"partition {partition}", orjson.dumps(rules).decode(), offset]


def keep_own(client: Client, rules: Rules, now_ms: int) -> None:
    """Keep by which rules this sink makes the views."""
    client.insert("rules_in_use", [[SINK, orjson.dumps(rules).decode(), now_ms]], column_names=COLUMNS)
