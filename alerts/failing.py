"""Rules that are queries and gave nothing that can be judged: how often in a row, and why.

Of this evaluator alone, so it is not copied to other machines: each asks for itself.
"""

from collections.abc import Collection

from alerts.ledger import Ledger

TRIES = 3  # so many steps in a row before anybody hears of it


def failed(ledger: Ledger, alert: str, why: str) -> None:
    """Once more."""
    ledger.db.execute(
        "INSERT INTO failing VALUES (?, 1, ?) "
        "ON CONFLICT (alert) DO UPDATE SET tries = tries + 1, error = excluded.error",
        (alert, why),
    )


def worked(ledger: Ledger, alert: str) -> None:
    """It answers."""
    ledger.db.execute("DELETE FROM failing WHERE alert = ?", (alert,))


def failing(ledger: Ledger, alerts: Collection[str]) -> dict[str, str]:
    """Why, of those among these rules that failed often enough."""
    found = ledger.db.execute("SELECT alert, error FROM failing WHERE tries >= ? ORDER BY alert", (TRIES,))
    return {alert: error for alert, error in found if alert in alerts}
