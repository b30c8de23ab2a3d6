"""For how long ClickHouse keeps what was known when."""

from clickhouse_connect.driver.client import Client

from sinks.rows import HISTORY_TABLES


def keep_for(client: Client, days: int) -> None:
    """Drop what is older than so many days; 0 drops all there is, and the sink writes no more."""
    for table, time in HISTORY_TABLES.items():
        if not days:
            client.command(f"TRUNCATE TABLE {table}")
            continue
        engine = client.command(
            "SELECT engine_full FROM system.tables "
            "WHERE database = currentDatabase() AND name = {name:String}",
            parameters={"name": table},
        )
        if f"toIntervalDay({days:d})" not in str(engine):
            client.command(f"ALTER TABLE {table} MODIFY TTL toDateTime({time}) + INTERVAL {days:d} DAY")
