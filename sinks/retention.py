"""For how long ClickHouse keeps what was known when."""

from clickhouse_connect.driver.client import Client

from sinks.rows import HISTORY_TABLES

TIMES = {"published_windows": "published_at", "arrivals": "arrived_at"}


def keep_for(client: Client, days: int) -> None:
    """Drop what is older than so many days; 0 drops all there is, and the sink writes no more."""
    for table in HISTORY_TABLES:
        if not days:
            client.command(f"TRUNCATE TABLE {table}")
            continue
        engine = client.command(
            "SELECT engine_full FROM system.tables "
            "WHERE database = currentDatabase() AND name = {name:String}",
            parameters={"name": table},
        )
        if f"toIntervalDay({days:d})" not in str(engine):
            client.command(
                f"ALTER TABLE {table} MODIFY TTL toDateTime({TIMES[table]}) + INTERVAL {days:d} DAY"
            )
