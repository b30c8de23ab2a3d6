"""Every field of an event has a column in ClickHouse; a check takes models and columns, to plant faults."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import NoneType
from typing import get_args

import pytest
from pydantic import create_model

from schemas.events import MODELS, AgentStateChanged, ContactHeld, ContactQueued, Event, SourceHeartbeat
from sinks.rows import AGENT_EVENT_COLUMNS, EVENT_COLUMNS, HEARTBEAT_COLUMNS, PLAIN_TEXT

MIGRATIONS = Path(__file__).parents[2] / "sql" / "migrations"
CONTACT_MODELS = [model for model in MODELS.values() if model not in (AgentStateChanged, SourceHeartbeat)]
# Only the last heartbeat of a source is kept.
NOT_KEPT = {"event_id", "revision", "type"}
# The state event is the only type of its table.
NO_TYPE = {"type"}
MEND = (
    "give it a column: a migration, {constant} in sinks/rows.py, and sql/oracle/fold.sql if a rule reads it"
)

Fields = Mapping[str, bool]  # name -> may it be None?


def fields_of(model: type[Event]) -> Fields:
    return {name: NoneType in get_args(field.annotation) for name, field in model.model_fields.items()}


def fields_lost(model: type[Event], columns: Collection[str], constant: str) -> list[str]:
    """Fields of a model that are stored nowhere, each with what to do."""
    return [
        f"{model.__name__}.{name}: {MEND.format(constant=constant)}"
        for name in fields_of(model)
        if name not in columns
    ]


def columns_of(table: str, migrations: Iterable[str]) -> dict[str, str]:
    """Columns of a table after these migrations, with their types."""
    found: dict[str, str] = {}
    for text in migrations:
        for body in re.findall(rf"CREATE TABLE IF NOT EXISTS {table}\n\((.*?)\n\)", text, re.DOTALL):
            found |= dict(re.findall(r"^    (\w+) ([\w(), ']+?)(?: CODEC.*)?,?$", body, re.MULTILINE))
        for body in re.findall(rf"ALTER TABLE {table}\b(.*?);", text, re.DOTALL):
            found |= dict(
                re.findall(
                    r"ADD COLUMN IF NOT EXISTS (\w+) ([^;\n]+?)(?: AFTER \w+)?[,;]?$", body, re.MULTILINE
                )
            )
    return found


def types_wrong(models: Iterable[type[Event]], types: Mapping[str, str], plain: Collection[str]) -> list[str]:
    """Columns of `events` that cannot hold what is not there: None, or in plain text ""."""
    every = [fields_of(model) for model in models]
    wrong = []
    for name, type_ in types.items():
        absent, none = not all(name in fields for fields in every), any(f.get(name) for f in every)
        if "Nullable" in type_ or type_.startswith("Map("):
            continue
        if none:
            wrong.append(f"{name} may be None: make its column Nullable")
        elif absent != (name in plain) and name not in ("canonical", "revision_wide"):
            wrong.append(f"{name} is not Nullable: PLAIN_TEXT in sinks/rows.py names text that a type lacks")
    return wrong + [f"{name} is in PLAIN_TEXT and Nullable" for name in plain if "Nullable" in types[name]]


def migrations() -> list[str]:
    return [path.read_text("utf-8") for path in sorted(MIGRATIONS.glob("*.sql"))]


@pytest.mark.parametrize("model", CONTACT_MODELS)
def test_every_field_of_a_contact_event_has_a_column(model: type[Event]) -> None:
    assert fields_lost(model, EVENT_COLUMNS, "EVENT_COLUMNS") == []


def test_every_field_of_the_other_events_has_a_column() -> None:
    assert fields_lost(AgentStateChanged, {*AGENT_EVENT_COLUMNS} | NO_TYPE, "AGENT_EVENT_COLUMNS") == []
    assert fields_lost(SourceHeartbeat, {*HEARTBEAT_COLUMNS} | NOT_KEPT, "HEARTBEAT_COLUMNS") == []


def test_migrations_make_these_columns() -> None:
    assert {*columns_of("events", migrations())} == {*EVENT_COLUMNS}
    assert {*columns_of("agent_events", migrations())} == {*AGENT_EVENT_COLUMNS}


def test_a_column_can_hold_what_an_event_does_not_have() -> None:
    assert types_wrong(CONTACT_MODELS, columns_of("events", migrations()), PLAIN_TEXT) == []


def test_a_field_without_a_column_is_found() -> None:
    skilled = create_model("ContactQueued", __base__=ContactQueued, skill=(str | None, None))
    (said,) = fields_lost(skilled, EVENT_COLUMNS, "EVENT_COLUMNS")
    assert said.startswith(
        "ContactQueued.skill: give it a column: a migration, EVENT_COLUMNS in sinks/rows.py"
    )


def test_a_column_of_the_wrong_type_is_found() -> None:
    types = columns_of("events", migrations())
    added = "ALTER TABLE events\n    ADD COLUMN IF NOT EXISTS skill LowCardinality(String) AFTER queue;"
    more = columns_of("events", [*migrations(), added])
    assert more.keys() - types.keys() == {"skill"}
    skilled = create_model("ContactQueued", __base__=ContactQueued, skill=(str | None, None))
    required = create_model("ContactHeld", __base__=ContactHeld, skill=(str, ...))
    assert types_wrong([*CONTACT_MODELS, skilled], more, PLAIN_TEXT) == [
        "skill may be None: make its column Nullable"
    ]
    assert "PLAIN_TEXT in sinks/rows.py" in types_wrong([*CONTACT_MODELS, required], more, PLAIN_TEXT)[0]
    assert types_wrong([*CONTACT_MODELS, required], more, (*PLAIN_TEXT, "skill")) == []
    assert types_wrong(CONTACT_MODELS, types, (*PLAIN_TEXT, "team")) == ["team is in PLAIN_TEXT and Nullable"]
