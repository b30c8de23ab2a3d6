"""Cases from public reports: events, and the values that the source of the report expects of them.

`NN-name.jsonl` has the events as `ringback import` takes them, `NN-name.expected.json` a list of checks:
a range, KPIs, dimensions, and rows. A value is a number, [numerator, denominator], or null for nothing
counted. `rules` are those by which the source counts, where that is not by the default ones.
"""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support.evaluate import World

from adapters.events.json_lines import parse_event
from kpis.rules import DEFAULT_RULES, Rules
from reports.kpi.question import Question
from schemas.events import AgentStateChanged, Event, SourceHeartbeat

FOLDER = Path(__file__).parents[1] / "data" / "cases"
SECRET = b"a secret of at least sixteen bytes"
Row = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """One question and the rows that answer it."""

    question: Question
    expect: list[Row]


@dataclass(frozen=True)
class Case:
    """Events and what is expected of them."""

    name: str
    events: list[Event]
    checks: list[Check]
    rules: Rules = DEFAULT_RULES

    def orders(self) -> dict[str, list[Event]]:
        """The events as they are written, shuffled, and twice in a muddle."""
        shuffled, doubled = [*self.events], [*self.events, *self.events]
        random.Random(7).shuffle(shuffled)
        random.Random(8).shuffle(doubled)
        return {"in order": self.events, "shuffled": shuffled, "doubled": doubled}


def moment(text: str) -> int:
    """A time of UTC in milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def check_of(fields: Row) -> Check:
    """A check as the file has it."""
    by = tuple(name for name in fields["by"].split(",") if name)
    question = Question(
        moment(fields["frm"]),
        moment(fields["to"]),
        fields["every"],
        by,
        tuple(fields["kpi"].split(",")),
        zone=fields.get("tz") or "UTC",
        as_of_ms=moment(fields["as_of"]) if fields.get("as_of") else None,
    )
    return Check(question, fields["expect"])


def read_case(name: str) -> Case:
    """The case of that name, without ending."""
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    events = [parse_event(json.loads(line), SECRET) for line in lines]
    expected = json.loads((FOLDER / f"{name}.expected.json").read_text("utf-8"))
    own = dict(expected.get("rules", {}))
    rules = replace(DEFAULT_RULES, **own | {"fcr": replace(DEFAULT_RULES.fcr, **own.get("fcr", {}))})
    return Case(name, events, [check_of(fields) for fields in expected["checks"]], rules)


def case_names() -> list[str]:
    """All cases that are here with events."""
    return sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def world_of(events: Iterable[Event], rules: Rules = DEFAULT_RULES) -> World:
    """The contacts and agents that events are about."""
    world = World(rules=rules)
    states = {}
    for event in events:
        if isinstance(event, AgentStateChanged):
            states[event.agent, event.event_id] = event  # no case corrects one
        elif not isinstance(event, SourceHeartbeat):
            world.contacts.setdefault(event.contact_id, []).append(event)
    world.states = [*states.values()]
    return world


def agrees(expected: object, value: Row | None) -> bool:
    """Is a value, as `ringback kpi --format json` gives it, what is expected?"""
    if value is None:
        return expected in (None, 0)
    if expected is None:
        return value["value"] is None
    if isinstance(expected, list):
        return [value["num"], value["den"]] == expected
    return bool(value["value"] == expected)


def wrong_in(check: Check, found: dict[tuple[str, ...], dict[str, Row]]) -> list[str]:
    """What is not as expected, of values by dimensions and KPI."""
    wrong = []
    for row in check.expect:
        own = found.get(tuple(row[name] for name in check.question.by), {})
        for name, expected in row.items():
            if name not in check.question.by and not agrees(expected, own.get(name)):
                wrong.append(f"{name} of {row}: {own.get(name)}")
    return wrong
