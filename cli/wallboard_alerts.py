"""Changes of alerts for the wallboard, as `ringback alerts run` puts them into ClickHouse."""

from pathlib import Path

import orjson
from clickhouse_connect.driver.client import Client

from reports.queries import rows
from wallboard.alerts import Change

LATEST = 500
QUERY = f"""SELECT alert, labels, kind, toUnixTimestamp64Milli(at) AS at_ms,
    toUnixTimestamp64Milli(opened_at) AS opened_ms, episode
FROM alert_transitions FINAL ORDER BY at DESC, episode LIMIT {LATEST}"""  # noqa: S608 -- a number of ours


def latest_changes(client: Client, ledger: Path) -> list[Change] | None:
    """The last changes; None where no alerts seem to be evaluated: no change is known, and no ledger here."""
    found = rows(client, QUERY, {})
    if not found and not ledger.exists():
        return None
    return [
        (
            row["alert"],
            orjson.dumps([*row["labels"].items()]).decode(),
            row["kind"],
            row["at_ms"],
            row["opened_ms"],
            row["episode"],
        )
        for row in found
    ]
