"""deploy/grafana/dashboards: what Grafana shows, each KPI added up by the rule of docs/reference/bi.md.

A panel takes the view of the period that it charts, chosen above the dashboard; nothing is averaged.
"""

# ruff: noqa: S608 -- names are ours; what a viewer chooses is quoted by Grafana

import json
from itertools import count
from typing import Any

from docs.build.grafana_alerts import ALERTS
from docs.build.grafana_panel import WIDTH, Panel
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from kpis.rules import DEFAULT_RULES
from sinks.views.adding import added_up
from sinks.views.columns import column_id

SOURCE = {"type": "grafana-clickhouse-datasource", "uid": "ringback"}
KPIS = every_kpi(DEFAULT_RULES)
UNITS = {"ratio": "percentunit", "ms": "ms", "count": "locale", "points": "none", "number": "none"}
TIMES = "$__timeFilter(window_start)"
QUEUES = "queue IN (${queue:singlequote})"
Json = dict[str, Any]


def named(kpi: Kpi) -> str:
    """The KPI over the rows of a group, under its id. Percentiles are asked for row by row alone."""
    return f"{added_up(kpi)} AS {column_id(kpi)}"


def units(*ids: str) -> dict[str, str]:
    """Units of columns."""
    return {column_id(KPIS[id_]): UNITS[KPIS[id_].unit] for id_ in ids}


def stat(view: str, id_: str, where: str = f"{TIMES} AND {QUEUES}") -> Panel:
    """One number over the whole range."""
    kpi = KPIS[id_]
    sql = f"SELECT {named(kpi)} FROM {view} WHERE {where}"
    return Panel(kpi.name, "stat", sql, units(id_), width=4, height=4, about=kpi.definition)


def line(view: str, id_: str, by: str = "queue", where: str = f"{TIMES} AND {QUEUES}") -> Panel:
    """A line for each queue, agent or the like over the periods."""
    kpi = KPIS[id_]
    series = f"if({by} = '', '(none)', {by}) AS series"
    sql = (
        f"SELECT window_start AS time, {series}, {named(kpi)} FROM {view} WHERE {where} "
        "GROUP BY time, series ORDER BY time"
    )
    return Panel(kpi.name, "timeseries", sql, units(id_), about=kpi.definition)


def listing(
    title: str, view: str, by: str, ids: tuple[str, ...], where: str = f"{TIMES} AND {QUEUES}"
) -> Panel:
    """A table: a row for each queue, agent or the like over the whole range."""
    columns = ", ".join(named(KPIS[id_]) for id_ in ids)
    sql = f"SELECT {by}, {columns} FROM {view} WHERE {where} GROUP BY {by} ORDER BY {by}"
    return Panel(title, "table", sql, units(*ids), width=WIDTH, height=10)


PERIOD_VIEW, FIGURES, AGENT_VIEW = "kpi_${period}", "kpi_${period}_figures", "agent_${period}"
SURVEYS, REASONS = "survey_hour", "reason_hour"
NOW_IDS = ("waiting_now", "longest_wait_now", "active_now", "acw_now", "service_level_live")
NOW = Panel(
    "Now",
    "table",
    f"SELECT channel, queue, {', '.join(NOW_IDS)} FROM kpi_now WHERE {QUEUES} "
    "ORDER BY longest_wait_now DESC NULLS LAST",
    units(*NOW_IDS),
    width=WIDTH,
)
QUEUE_IDS = ("offered", "answered", "abandoned", "service_level", "abandonment_rate", "asa", "aht",
             "transfer_rate")  # fmt: skip
AGENT_IDS = ("answered", "handled", "aht", "talk_time_avg", "acw_avg", "hold_rate", "transfer_rate",
             "occupancy", "utilisation", "concurrency", "fcr_net", "csat")  # fmt: skip
FCR_IDS = (
    "fcr_gross",
    "fcr_net",
    "fcr_gross_provisional",
    "fcr_pending",
    "repeat_contact_rate",
    "fcr_coverage",
)
SURVEY_IDS = ("csat", "csat_t2b", "nps", "ces", "survey_fcr", "aes")
SOURCES = Panel(
    "When each source was last heard of",
    "table",
    "SELECT source, last_event_at, last_heartbeat_at, silent_s FROM source_health ORDER BY silent_s DESC",
    {"silent_s": "s"},
    width=WIDTH,
    about="A source that is silent makes recent numbers incomplete.",
)
WAITING = Panel(
    "Legs that wait still, by when they came",
    "timeseries",
    "SELECT window_start AS time, sum(still_waiting) AS waiting FROM kpi_hour "
    f"WHERE {TIMES} GROUP BY time ORDER BY time",
    about="What is counted when a leg enters its queue is not final while it waits.",
)
FINAL_SHARE = Panel(
    "Share of rows that only a late event can change",
    "timeseries",
    "SELECT window_start AS time, sum(final) / count() AS final FROM kpi_hour "
    f"WHERE {TIMES} GROUP BY time ORDER BY time",
    {"final": "percentunit"},
)
STORED = Panel(
    "Begin of the latest minute that has contacts",
    "stat",
    f"SELECT max(window_start) AS latest FROM kpi_minute WHERE {TIMES}",
    {"latest": "dateTimeAsLocal"},
    width=8,
    height=4,
)
ALL = TIMES
HEAD_IDS = ("offered", "answered", "service_level", "abandonment_rate", "asa", "aht")
FCR_LINES = ("fcr_net", "fcr_gross_provisional", "repeat_contact_rate", "fcr_coverage")
BOTH_IDS = ("answered", "aht", "transfer_rate", "fcr_net")
DASHBOARDS: dict[str, tuple[str, tuple[Panel, ...]]] = {
    "operations": ("Operations", (
        *(stat(PERIOD_VIEW, id_) for id_ in HEAD_IDS),
        NOW,
        *(line(PERIOD_VIEW, id_) for id_ in ("service_level", "abandonment_rate", "asa", "offered")),
    )),
    "queues": ("Queues", (
        listing("Queues", PERIOD_VIEW, "queue", QUEUE_IDS),
        *(line(PERIOD_VIEW, id_) for id_ in ("answered", "abandoned", "aht", "transfer_rate")),
        *(line(FIGURES, id_) for id_ in ("longest_wait", "longest_hold")),
        listing("Reasons", REASONS, "reason", QUEUE_IDS),
    )),
    "first-contact-resolution": ("First contact resolution", (
        *(stat(PERIOD_VIEW, id_) for id_ in FCR_IDS),
        *(line(PERIOD_VIEW, id_) for id_ in FCR_LINES),
        listing("Queues", PERIOD_VIEW, "queue", FCR_IDS),
    )),
    "surveys": ("Surveys", (
        *(stat(SURVEYS, id_) for id_ in SURVEY_IDS),
        *(line("survey_day", id_) for id_ in ("csat", "nps", "ces", "survey_fcr")),
        listing("Agents", SURVEYS, "agent", SURVEY_IDS),
    )),
    "agents": ("Agents", (
        listing("Agents", AGENT_VIEW, "agent", AGENT_IDS, ALL),
        *(line(AGENT_VIEW, id_, "team", ALL) for id_ in ("occupancy", "utilisation", "aht", "fcr_net")),
        listing("Agents by queue", "queue_agent_hour", "queue, agent", BOTH_IDS),
    )),
    "alerts": ("Alerts", ALERTS),
    "pipeline-health": ("Pipeline health", (STORED, SOURCES, WAITING, FINAL_SHARE)),
}  # fmt: skip
OF_TODAY = ("operations", "pipeline-health")
PERIODS = ("quarter_hour", "half_hour", "hour", "day", "week", "month")


def override(column: str, unit: str) -> Json:
    """A unit for one column."""
    return {"matcher": {"id": "byName", "options": column}, "properties": [{"id": "unit", "value": unit}]}


def panel_json(panel: Panel, number: int, x: int, y: int) -> Json:
    """A panel as Grafana keeps it."""
    shape = "timeseries" if panel.kind == "timeseries" else "table"
    defaults = {"unit": next(iter(panel.units.values()), "none")} if panel.kind != "table" else {}
    rest = [override(*item) for item in panel.units.items()] if panel.kind == "table" else []
    target = {
        "refId": "A",
        "datasource": SOURCE,
        "editorType": "sql",
        "queryType": shape,
        "format": 0 if shape == "timeseries" else 1,
        "rawSql": panel.sql,
    }
    return {
        "id": number,
        "title": panel.title,
        "description": panel.about,
        "type": panel.kind,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "fieldConfig": {"defaults": defaults, "overrides": rest},
        "targets": [target],
    }


def placed(panels: tuple[Panel, ...]) -> list[Json]:
    """Panels from left to right, row below row."""
    found: list[Json] = []
    x = y = row = 0
    for panel, number in zip(panels, count(1), strict=False):
        if x + panel.width > WIDTH:
            x, y, row = 0, y + row, 0
        found.append(panel_json(panel, number, x, y))
        x, row = x + panel.width, max(row, panel.height)
    return found


def variables(panels: tuple[Panel, ...]) -> list[Json]:
    """What is chosen above the dashboard: the period and the queues, where its panels ask for them."""
    text = " ".join(panel.sql for panel in panels)
    found: list[Json] = []
    if "${period}" in text:
        options = [
            {"text": name.replace("_", "-"), "value": name, "selected": name == "hour"} for name in PERIODS
        ]
        current = next(option for option in options if option["selected"])
        found.append({"name": "period", "label": "Period", "type": "custom", "query": ",".join(PERIODS),
                      "options": options, "current": current})  # fmt: skip
    if "${queue" in text:
        query = (
            "SELECT DISTINCT queue FROM kpi_day WHERE window_start > now() - INTERVAL 60 DAY ORDER BY queue"
        )
        found.append({"name": "queue", "label": "Queue", "type": "query", "datasource": SOURCE,
                      "query": query, "refresh": 2, "multi": True, "includeAll": True,
                      "current": {"text": ["All"], "value": ["$__all"]}})  # fmt: skip
    return found


def dashboard(name: str) -> str:
    """The file of a dashboard."""
    title, panels = DASHBOARDS[name]
    document = {
        "uid": f"ringback-{name}"[:40],
        "title": title,
        "tags": ["ringback"],
        "schemaVersion": 41,
        "editable": True,
        "refresh": "30s",
        "timezone": "browser",
        "time": {"from": "now-24h" if name in OF_TODAY else "now-30d", "to": "now"},
        "templating": {"list": variables(panels)},
        "panels": placed(panels),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
