"""deploy/superset/ringback, a bundle for Superset to import: database, datasets, metrics, charts, dashboards.

Metrics are sums divided by sums (sinks.views.adding), so that nobody averages averages. The time column is
the local date, with no grain on top of the view's period, and no metric is called like a column (Superset's
issue 40807).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from docs.build.superset_filters import filters
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from kpis.rules import DEFAULT_RULES
from sinks.views.adding import added_up
from sinks.views.kpi_views import core_view

FOLDER = "deploy/superset/ringback"
KPIS = every_kpi(DEFAULT_RULES)
Document = dict[str, Any]
TEXT, DATE, TIME = "String", "Date", "DateTime('UTC')"
# Datasets: the view, its time column, and its dimensions.
DATASETS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "kpi_day": ("local_date", ("channel", "queue")),
    "kpi_hour": ("local_time", ("channel", "queue")),
    "kpi_month": ("local_date", ("channel", "queue")),
    "reason_day": ("local_date", ("channel", "queue", "reason")),
    "agent_day": ("local_date", ("agent", "team")),
    "survey_day": ("local_date", ("channel", "queue", "agent", "team", "reason")),
}
FORMATS = {"ratio": ".1%", "count": ",d", "ms": ",.1f", "points": ",.2f", "number": ",.2f"}
HEAD_IDS = ("offered", "answered", "service_level", "abandonment_rate", "asa", "aht")
FCR_IDS = ("fcr_gross", "repeat_contact_rate")
AGENT_IDS = ("answered", "aht", "occupancy", "utilisation", "fcr_gross", "csat")
SURVEY_IDS = ("csat", "nps")
WANTED_HIGH = ("service_level", "fcr_gross")


def uuid(name: str) -> str:
    """Always the same for the same thing: an import replaces what an earlier one made."""
    return str(uuid5(NAMESPACE_URL, f"https://ringback.example/superset/{name}"))


def metric(kpi: Kpi) -> Document:
    """A KPI as a metric; durations in seconds."""
    rule = added_up(kpi)
    return {
        "metric_name": metric_name(kpi),
        "verbose_name": metric_name(kpi),
        "metric_type": None,
        "expression": f"({rule}) / 1000" if kpi.unit == "ms" else rule,
        "description": kpi.definition,
        "d3format": FORMATS[kpi.unit],
        "extra": {},
        "warning_text": None,
    }


def metric_name(kpi: Kpi) -> str:
    """What charts call it."""
    return f"{kpi.name} (s)" if kpi.unit == "ms" else kpi.name


def column(name: str, kind: str) -> Document:
    """A column to filter and group by."""
    return {
        "column_name": name,
        "verbose_name": None,
        "is_dttm": kind != TEXT,
        "is_active": True,
        "type": kind,
        "groupby": True,
        "filterable": True,
        "expression": None,
        "description": None,
        "python_date_format": None,
        "extra": {},
    }


def in_view(kpi: Kpi, view: str) -> bool:
    """Has the dataset the KPI? Live ones and figures of single legs are in no dataset."""
    family = view.partition("_")[0]
    home = core_view(kpi)
    if kpi.variant_of or not added_up(kpi) or kpi.figure is not None:
        return False
    if family == "kpi":
        return home == "kpi_day"
    if family == "agent":
        return kpi.id in AGENT_IDS or home == "agent_day"
    return home == ("survey_day" if family == "survey" else "kpi_day")


def database() -> Document:
    """The connection; whoever imports gives the password, and the address where it is another."""
    return {
        "database_name": "Ringback",
        "sqlalchemy_uri": "clickhousedb://bi:XXXXXXXXXX@host.docker.internal:8123/ringback",
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_file_upload": False,
        "extra": {},
        "uuid": uuid("database"),
        "version": "1.0.0",
    }


def dataset(view: str) -> Document:
    """A view with its metrics."""
    time, dimensions = DATASETS[view]
    columns = [column(time, TIME if time == "local_time" else DATE), *(column(d, TEXT) for d in dimensions)]
    return {
        "table_name": view,
        "main_dttm_col": time,
        "description": "Metrics are sums divided by sums. Never average the columns themselves.",
        "default_endpoint": None,
        "offset": 0,
        "cache_timeout": None,
        "schema": "ringback",
        "sql": None,
        "params": None,
        "template_params": None,
        "filter_select_enabled": True,
        "fetch_values_predicate": None,
        "extra": None,
        "uuid": uuid(view),
        "metrics": [metric(kpi) for kpi in KPIS.values() if in_view(kpi, view)],
        "columns": columns,
        "version": "1.0.0",
        "database_uuid": uuid("database"),
    }


def chart(title: str, view: str, kind: str, ids: Sequence[str], by: Sequence[str] = ()) -> Document:
    """A picture of some KPIs."""
    time = DATASETS[view][0]
    names = [metric_name(KPIS[id_]) for id_ in ids]
    shown = FORMATS[KPIS[ids[0]].unit]
    params: Document = {
        "viz_type": kind,
        "adhoc_filters": [{"clause": "WHERE", "expressionType": "SIMPLE", "operator": "TEMPORAL_RANGE",
                           "subject": time, "comparator": "No filter"}],
    }  # fmt: skip
    if kind == "big_number_total":
        params |= {"metric": names[0], "y_axis_format": shown}
    elif kind == "table":
        params |= {"query_mode": "aggregate", "groupby": [*by], "metrics": names, "row_limit": 1000,
                   "order_desc": True, "show_cell_bars": False}  # fmt: skip
    else:
        params |= {"x_axis": time, "metrics": names, "groupby": [*by], "row_limit": 10000,
                   "y_axis_format": shown, "show_legend": True}  # fmt: skip
        if KPIS[ids[0]].unit == "ratio":
            # Of what should be high the whole scale is shown; what should be low would lie on the axis.
            params |= {"truncateYAxis": True, "y_axis_bounds": [0, 1 if ids[0] in WANTED_HIGH else None]}
    return {
        "slice_name": title,
        "description": KPIS[ids[0]].definition if len(ids) == 1 else None,
        "certified_by": None,
        "certification_details": None,
        "viz_type": kind,
        "params": params,
        "query_context": None,
        "cache_timeout": None,
        "uuid": uuid(f"chart {title}"),
        "version": "1.0.0",
        "dataset_uuid": uuid(view),
    }


def numbers(view: str, ids: Sequence[str], suffix: str) -> list[Document]:
    """Big numbers."""
    return [chart(f"{metric_name(KPIS[id_])}, {suffix}", view, "big_number_total", [id_]) for id_ in ids]


def lines(view: str, ids: Sequence[str], by: str) -> list[Document]:
    """A line for each queue, agent or the like."""
    kind = "echarts_timeseries_line"
    return [chart(f"{metric_name(KPIS[id_])} by day and {by}", view, kind, [id_], [by]) for id_ in ids]


DASHBOARDS: dict[str, list[list[Document]]] = {
    "Ringback: operations": [
        numbers("kpi_day", HEAD_IDS, "all queues"),
        lines("kpi_day", ("service_level", "abandonment_rate"), "queue"),
        lines("kpi_day", ("offered", "asa"), "queue"),
        [chart("Queues", "kpi_day", "table", HEAD_IDS, ["queue"])],
    ],
    "Ringback: quality and agents": [
        numbers("kpi_day", FCR_IDS, "all queues") + numbers("survey_day", SURVEY_IDS, "all surveys"),
        lines("kpi_day", FCR_IDS, "queue"),
        lines("survey_day", SURVEY_IDS, "queue"),
        [chart("Agents", "agent_day", "table", AGENT_IDS, ["agent"])],
    ],
}

# What can be chosen beside the time, from which dataset.
FILTERS: Mapping[str, Mapping[str, str]] = {
    "Ringback: operations": {"channel": "kpi_day", "queue": "kpi_day"},
    "Ringback: quality and agents": {"queue": "kpi_day", "team": "agent_day"},
}


def position(title: str, rows: Sequence[Sequence[Document]]) -> Document:
    """Where charts stand: rows of equal parts."""
    found: Document = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "parents": ["ROOT_ID"],
                    "children": [f"ROW-{number}" for number in range(len(rows))]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": title}},
    }  # fmt: skip
    for number, row in enumerate(rows):
        row_id = f"ROW-{number}"
        children = [f"CHART-{number}-{place}" for place in range(len(row))]
        found[row_id] = {"type": "ROW", "id": row_id, "parents": ["ROOT_ID", "GRID_ID"], "children": children,
                         "meta": {"background": "BACKGROUND_TRANSPARENT"}}  # fmt: skip
        tiles = row[0]["viz_type"] == "big_number_total"
        height = 24 if tiles else 50
        for child, item in zip(children, row, strict=True):
            meta = {"uuid": item["uuid"], "chartId": 0, "sliceName": item["slice_name"],
                    "width": 12 // len(row), "height": height}  # fmt: skip
            if tiles:  # which are narrow, and are of all queues as anyone sees
                meta["sliceNameOverride"] = item["slice_name"].rpartition(", ")[0]
            found[child] = {"type": "CHART", "id": child, "parents": ["ROOT_ID", "GRID_ID", row_id],
                            "children": [], "meta": meta}  # fmt: skip
    return found


def dashboard(title: str) -> Document:
    """A dashboard."""
    return {
        "dashboard_title": title,
        "description": "Made by docs/build/superset.py.",
        "css": "",
        "slug": None,
        "certified_by": "",
        "certification_details": "",
        "published": True,
        "uuid": uuid(title),
        "position": position(title, DASHBOARDS[title]),
        "metadata": {
            "refresh_frequency": 0,
            "color_scheme": "supersetColors",
            "timed_refresh_immune_slices": [],
            "native_filter_configuration": filters(
                [(name, uuid(view)) for name, view in FILTERS[title].items()]
            ),
        },
        "version": "1.0.0",
    }


def file_name(title: str) -> str:
    """A title as the name of a file."""
    return "".join(letter if letter.isalnum() else "_" for letter in title.lower())


def documents() -> Iterator[tuple[str, Document]]:
    """Every file of the bundle."""
    yield "metadata.yaml", {"version": "1.0.0", "type": "Dashboard", "timestamp": "2026-01-01T00:00:00+00:00"}
    yield "databases/Ringback.yaml", database()
    for view in DATASETS:
        yield f"datasets/Ringback/{view}.yaml", dataset(view)
    charts = [item for rows in DASHBOARDS.values() for row in rows for item in row]
    for item in charts:
        yield f"charts/{file_name(item['slice_name'])}.yaml", item
    for title in DASHBOARDS:
        yield f"dashboards/{file_name(title)}.yaml", dashboard(title)


def bundle() -> dict[str, str]:
    """Files by path. JSON is YAML too, and needs no library to be written."""
    return {
        f"{FOLDER}/{path}": json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        for path, document in documents()
    }
