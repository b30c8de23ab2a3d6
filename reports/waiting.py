"""What waited at the end of each minute, from the legs: how many, and the longest of them."""

from collections.abc import Sequence

from clickhouse_connect.driver.client import Client

from kpis.rules import Rules
from reports.minutes import MinuteSums, asked
from sql.kpi_queries import waiting_minutes as waiting_minutes_query

MEASURES = ("waiting", "longest_ms")


def waiting_minutes(
    client: Client, from_ms: int, to_ms: int, rules: Rules, further: Sequence[str] = ()
) -> list[MinuteSums]:
    """Minutes of [from_ms, to_ms) at whose end anybody waited; a leg whose end was lost waits no longer."""
    given: dict[str, object] = {
        "from_ms": from_ms,
        "to_ms": to_ms,
        "async_channels": list(rules.async_channels),
        "stale_ms": rules.stale_ms,
        "stale_async_ms": rules.stale_async_ms,
    }
    return asked(client, waiting_minutes_query(further), MEASURES, given, further)
