"""How BI tools and clients connect to the embedded ClickHouse: a line for each kind, without the password."""

from cli.settings import Settings
from deploy.local.clickhouse.names import BI, DATABASE
from deploy.local.clickhouse.passwords import BI_FILE
from deploy.local.clickhouse.process import netloc
from deploy.local.ports import is_loopback


def connecting(settings: Settings) -> list[str]:
    """Lines for people, of the user that may only read; none when ClickHouse is given by CLICKHOUSE_URL."""
    if settings.clickhouse_url:
        return []
    at = netloc(settings.clickhouse_host, settings.clickhouse_port)
    lines = [
        f"BI tools connect as user {BI}, which may only read; its password is in the file "
        f"{settings.data_dir / BI_FILE}",
        f"  JDBC (DBeaver, Metabase, Tableau)  jdbc:clickhouse://{at}/{DATABASE}?user={BI}",
        f"  Superset, SQLAlchemy               clickhousedb://{BI}:PASSWORD@{at}/{DATABASE}",
        f"  Grafana, clickhouse-go             http://{BI}:PASSWORD@{at}/{DATABASE} (protocol HTTP)",
        f"  HTTP                               http://{at}/?database={DATABASE}",
    ]
    if not is_loopback(settings.clickhouse_host):
        lines.append(
            f"warning: the embedded ClickHouse listens on {settings.clickhouse_host} without TLS: who is on "
            "the network can read passwords and rows. Put a proxy with TLS before it, or keep to a network "
            "of your own"
        )
    return lines
