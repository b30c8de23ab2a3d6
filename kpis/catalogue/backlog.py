"""KPIs of backlog: what is open at a moment, and since when (docs/facts.md 10)."""

from kpis.catalogue.kpi import SPEC, Kpi
from kpis.tallies.backlog import AGES_D

ZENDESK = "Zendesk backlog"


def older_than(days: int) -> Kpi:
    """How many of them are older than so many days."""
    return Kpi(
        f"backlog.over_{days}d", f"Backlog, older than {days} d", "count", "contact", "as_of",
        "Open contacts that began longer ago than the name says.", ZENDESK,
        {f"backlog_over_{days}d": 1}, table="backlog", variant_of="backlog",
    )  # fmt: skip


BACKLOG = (
    Kpi("backlog", "Backlog", "count", "contact", "as_of",
        "Contacts that have begun and are neither ended nor closed at this moment; calls and chats of which nothing"
        " was heard for the stale limit are left out.", ZENDESK, {"backlog": 1}, table="backlog"),
    *(older_than(days) for days in AGES_D),
    Kpi("backlog_age_avg", "Average age of backlog", "ms", "contact", "as_of",
        "Mean time since open contacts began.", SPEC, {"backlog_age_ms": 1}, {"backlog": 1}, table="backlog"),
)  # fmt: skip
