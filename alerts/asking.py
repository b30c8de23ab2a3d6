"""Rules that are queries: what ClickHouse says to them, read-only and within limits.

A query is asked once, at the step that is evaluated, and never again: what it saw then may be gone. So it may
wake nobody (`sense` refuses a page), and whatever is wrong with it is a fault of that rule alone.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError, StreamFailureError

from alerts.label_sets import LabelSet
from alerts.rule import Group, Rule
from alerts.sense import FIGURES
from alerts.when import SqlWhen
from sinks.connection import first_line

ROWS_MAX = 1_000  # label sets of a rule
# Of each query. With readonly at 1 it writes nothing and lifts no limit; read are tables, no addresses.
LIMITS = {
    "readonly": 1,
    "max_execution_time": 5,
    "timeout_overflow_mode": "throw",
    "max_memory_usage": 1_000_000_000,
    "max_rows_to_read": 1_000_000_000,
    "read_overflow_mode": "throw",
    "max_result_rows": ROWS_MAX,
    "max_result_bytes": 1_000_000,
    "result_overflow_mode": "throw",
    "session_timezone": "UTC",
}
FIGURE_END = 2**63
INTEGER = re.compile(r"(?:LowCardinality\()?(?:Nullable\()?U?Int(?:8|16|32|64)\)*")
OF_SERVER = re.compile(r".*DB::Exception: |\s*\((?:version|for url) .*")
PLACE = re.compile(r"\(line (\d+), col (\d+)\)")
Answer = Mapping[LabelSet, tuple[int, int]]  # value and n, of label sets that have any


class QueryFault(ValueError):
    """Why a query gave nothing that can be judged, and what to write instead."""


def answers(client: Client, group: Group, at: int) -> dict[str, Answer | QueryFault]:
    """What the queries of a group say at a step (UTC ms). Raises OperationalError where nobody answers."""
    found: dict[str, Answer | QueryFault] = {}
    for rule, when in group.queries:
        try:
            found[rule.alert] = answer(client, rule, when, at)
        except QueryFault as fault:
            found[rule.alert] = fault
    return found


def answer(client: Client, rule: Rule, when: SqlWhen, at: int) -> Answer:
    """The figures of each label set. Raises QueryFault, OperationalError."""
    names, types, rows = asked(client, whole(when), at)
    fit(rule, dict(zip(names, types, strict=True)))
    found: dict[LabelSet, tuple[int | None, int | None]] = {}
    for row in rows:
        cells = dict(zip(names, row, strict=True))
        labels = tuple((name, text(cells[name])) for name in rule.by)
        if labels in found:
            shown = " ".join(f"{name}={value}" for name, value in labels) or "no labels"
            raise QueryFault(f"it returns two rows for {shown}: group by {', '.join(rule.by) or 'nothing'}")
        found[labels] = figure(cells["value"]), figure(cells.get("n", 1))
    return {labels: (value, n) for labels, (value, n) in found.items() if value is not None and n and n > 0}


def figure(given: object) -> int | None:
    """A whole number as it can be stored; None where there is none. Raises QueryFault."""
    if given is not None and (not isinstance(given, int) or abs(given) >= FIGURE_END):
        raise QueryFault(f"{given} is too great a number")
    return given


def described(client: Client, rule: Rule, when: SqlWhen, at: int) -> None:
    """Is it well written, by ClickHouse, which reads nothing for it? Raises QueryFault, OperationalError."""
    _, _, rows = asked(client, f"DESCRIBE TABLE ({whole(when)})", at)
    fit(rule, {str(row[0]): str(row[1]) for row in rows})


def whole(when: SqlWhen) -> str:
    """The query inside one of ours: so it is one SELECT, and what follows it cannot be written off."""
    return f"SELECT * FROM (\n{when.query}\n) LIMIT {{ringback_most:UInt32}}"  # noqa: S608 -- read-only


def asked(client: Client, query: str, at: int) -> tuple[Sequence[str], list[str], Sequence[Sequence[object]]]:
    """Names, types and rows. Raises QueryFault, OperationalError."""
    moment = datetime.fromtimestamp(at / 1000, UTC).replace(tzinfo=None)
    parameters = {"now": moment.isoformat(" "), "ringback_most": ROWS_MAX + 1}
    try:
        found = client.query(query, parameters=parameters, settings=LIMITS)
        return found.column_names, [each.name for each in found.column_types], found.result_rows
    except StreamFailureError as error:  # it began to answer
        raise QueryFault(of_server(error)) from None
    except OperationalError:
        raise
    except DatabaseError as error:
        raise QueryFault(of_server(error)) from None


def of_server(error: Exception) -> str:
    """What ClickHouse says, in a line; places are those in the query as it is written."""
    said = OF_SERVER.sub("", first_line(error))
    return PLACE.sub(lambda place: f"(line {max(1, int(place[1]) - 1)}, col {place[2]})", said)


def fit(rule: Rule, types: Mapping[str, str]) -> None:
    """Are these the columns that the rule wants? Raises QueryFault."""
    wanted = [*rule.by, "value"]
    if missing := [name for name in wanted if name not in types]:
        raise QueryFault(
            f"it does not return {missing[0]}: by and value are {', '.join(wanted)}, n may be there"
        )
    if more := [name for name in types if name not in (*rule.by, *FIGURES)]:
        raise QueryFault(f"it returns {more[0]}, which is no label: write it in by, or leave it out")
    for name in FIGURES:
        if name in types and not INTEGER.fullmatch(types[name]):
            raise QueryFault(
                f"{name} is {types[name]}: write whole numbers (toInt64), and a share or mean as both, such "
                "as countIf(...) AS value, count() AS n"
            )


def text(value: object) -> str:
    """A label; none is an empty one."""
    return "" if value is None else str(value)
