"""The command line's connection to ClickHouse."""

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from cli.console import UNREACHABLE, fail
from cli.settings import Settings
from deploy.local.clickhouse.passwords import OWNER_FILE
from sinks.connection import connect, first_line, without_secret


def client(settings: Settings, other: str | None = None) -> Client:
    """A connection, to ours or another; ends the command with status 3 and what to do if there is none."""
    try:
        return connect(other or settings.clickhouse)
    except (ClickHouseError, OSError) as error:
        if "AUTHENTICATION_FAILED" in str(error) and not (other or settings.clickhouse_url):
            fail(
                f"ClickHouse at {without_secret(settings.clickhouse)} does not take the password in "
                f"{settings.data_dir / OWNER_FILE}: it runs on another data folder. "
                "Set RINGBACK_DATA_DIR to that one",
                UNREACHABLE,
            )
        todo = "look at --url" if other else "start the local stack with `ringback up`, or set CLICKHOUSE_URL"
        where = without_secret(other or settings.clickhouse)
        fail(f"no ClickHouse at {where} ({short(error)}): {todo}", UNREACHABLE)


def short(error: Exception) -> str:
    """The end of a driver's error, where the cause is."""
    text = first_line(error)
    return "connection refused" if "refused" in text else text[:200]
