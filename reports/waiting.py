"""What waited at the end of each minute, from the legs: how many, and the longest of them."""

from clickhouse_connect.driver.client import Client

from kpis.rules import Rules
from reports.minutes import MinuteSums, asked
from sql.kpi_queries import STREAM_LEGS
from sql.templates import fill

MEASURES = ("waiting", "longest_ms")


def waiting_minutes(client: Client, from_ms: int, to_ms: int, rules: Rules) -> list[MinuteSums]:
    """Minutes of [from_ms, to_ms) at whose end anybody waited; a leg whose end was lost waits no longer."""
    given: dict[str, object] = {
        "from_ms": from_ms,
        "to_ms": to_ms,
        "async_channels": list(rules.async_channels),
        "stale_ms": rules.stale_ms,
        "stale_async_ms": rules.stale_async_ms,
    }
    return asked(client, fill("kpi", "waiting_minutes", legs=STREAM_LEGS), MEASURES, given)
