"""Every page that is made from code, by its path in the repository."""

from collections.abc import Callable
from pathlib import Path

from adapters.registry import SOURCES
from docs.build import (
    bi,
    commands,
    dbt,
    documents,
    events,
    grafana,
    kpi_schema,
    kpis,
    metrics,
    settings,
    superset,
    views,
)
from docs.build.sources import with_head, with_sources

ROOT = Path(__file__).parents[2]
README = "README.md"
REFERENCE: dict[str, Callable[[], str]] = {
    "docs/reference/settings.md": settings.reference,
    "docs/reference/commands.md": commands.reference,
    "docs/reference/events.md": events.reference,
    "docs/reference/kpis.md": kpis.reference,
    "docs/reference/metrics.md": metrics.reference,
    "docs/reference/views.md": views.reference,
    "docs/reference/bi.md": bi.reference,
}
DOCUMENTS: dict[str, Callable[[], str]] = {
    "docs/reference/alert-receivers.schema.json": documents.alert_receivers,
    "docs/reference/alert-rules.schema.json": documents.alert_rules,
    "docs/reference/asyncapi.json": documents.asyncapi,
    "docs/reference/kpi.schema.json": kpi_schema.reference,
    "docs/reference/openapi.json": documents.openapi,
}


def read(path: str) -> str:
    """A page as it stands."""
    return (ROOT / path).read_text(encoding="utf-8")


def pages() -> dict[str, str]:
    """What each page must be; of the README the table of sources is made, of a source's page its head."""
    return {
        **{path: made() for path, made in (REFERENCE | DOCUMENTS).items()},
        **{f"deploy/grafana/dashboards/{name}.json": grafana.dashboard(name) for name in grafana.DASHBOARDS},
        **superset.bundle(),
        dbt.FILE: dbt.source(),
        **{source.page: with_head(source.name, read(source.page)) for source in SOURCES},
        README: with_sources(read(README)),
    }
