"""What legs were at the end of each minute: how many waited, and the longest of them; or were served."""

from collections.abc import Sequence

from clickhouse_connect.driver.client import Client

from kpis.rules import Rules
from reports.minutes import MinuteSums, asked
from sql.kpi_queries import moment_minutes as moment_minutes_query

MEASURES = ("legs_n", "longest_ms")


def moment_minutes(
    client: Client, moment: str, from_ms: int, to_ms: int, rules: Rules, further: Sequence[str] = ()
) -> list[MinuteSums]:
    """Minutes of [from_ms, to_ms) at whose end any leg was so (sql.kpi_queries.MOMENTS).

    One whose end was lost is so no longer.
    """
    given: dict[str, object] = {
        "from_ms": from_ms,
        "to_ms": to_ms,
        "async_channels": list(rules.async_channels),
        "stale_ms": rules.stale_ms,
        "stale_async_ms": rules.stale_async_ms,
        "acw_stale_ms": rules.acw_stale_ms,
    }
    return asked(client, moment_minutes_query(moment, further), MEASURES, given, further)
