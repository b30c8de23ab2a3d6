"""deploy/dbt/ringback.yml: the views as a source of dbt, for a project of one's own.

Each KPI's value carries, as `meta`, how its rows are added up (sinks.views.adding). Views of several periods
have the same columns, which stand in the file once, as YAML's anchors.
"""

from typing import Any

import yaml

from docs.build.views import comment, declared, kpi_columns
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES
from sinks.views.adding import added_up
from sinks.views.statements import statements

FILE = "deploy/dbt/ringback.yml"
HEAD = (
    "# Made by `python -m docs.build`. Copy it into `models/` of your project; docs/guide/reading.md says "
    "how.\n"
)
# Views that models are made of; the others are for a look, and read with less.
VIEWS = (
    "kpi_quarter_hour", "kpi_hour", "kpi_day", "kpi_week", "kpi_month", "reason_day", "agent_day",
    "queue_agent_day", "survey_day", "contact", "leg", "survey", "repeat_contact", "alert",
)  # fmt: skip
ABOUT = (
    "Ringback's views, for the default rules in UTC. KPIs of several rows are never averaged: numerators and "
    "denominators are summed and divided once, as `meta.added_up` has it."
)
Document = dict[str, Any]


def column(name: str, kind: str, said: str, rules: dict[str, str]) -> Document:
    """A column: its type, its meaning, and of a KPI how it is added up."""
    made: Document = {"name": name, "description": said, "data_type": kind}
    return made | {"config": {"meta": {"added_up": rules[name]}}} if rules.get(name) else made


def adding_rules() -> dict[str, str]:
    """By the column of a KPI's value how its rows are added up."""
    kpis = every_kpi(DEFAULT_RULES)
    of_kpis = {name: id_ for name, id_ in kpi_columns().items() if name == id_.replace(".", "__")}
    return {name: added_up(kpis[id_]) for name, id_ in of_kpis.items()}


def source() -> str:
    """The file."""
    made, rules = statements(DEFAULT_RULES, "UTC"), adding_rules()
    known: dict[str, Document] = {}
    tables = []
    for view in VIEWS:
        columns = []
        for name, (kind, said) in declared(made[view]).items():
            found = column(name, kind, said, rules)
            columns.append(known.setdefault(repr(found), found))
        tables.append({"name": view, "description": comment(made[view]), "columns": columns})
    document = {
        "version": 2,
        "sources": [{"name": "ringback", "schema": "ringback", "description": ABOUT, "tables": tables}],
    }
    return HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
