"""A view with one row per local period and dimensions, from several sources stacked and summed."""

# ruff: noqa: S608 -- names and expressions are ours

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sql.templates import fill
from sql.views.grid import LOCAL, Grid, end_of, offset_of

PARAMETER = re.compile(r"\{(\w+):([^{}]+)\}")
NOW_MS = "toUnixTimestamp64Milli(now64(3))"
# A view reads with the rights of whoever made it. By default it reads with those of who asks: a user of BI
# tools would then need, and have, every table. ClickHouse 24.2 or newer. Measured: the same plans of queries.
RIGHTS = "SQL SECURITY DEFINER"
# A row for each dimension of one's own that a contact has, so that no name need be known when views are made.
OWN = {
    "dimension": "Name of a dimension of your own, such as brand. Ask for one: a row is in each of its own.",
    "value": "Its value, such as north. What has none is in no row.",
}
DAYS_ON = ("1d", "1w", "1M")  # periods of whole local days


@dataclass(frozen=True, slots=True)
class ViewSource:
    """Rows to be summed: `second` is when they count, `values` are expressions by the names of totals.

    `ordered` says that the relation is stored by that time, so that it is worth to ask branch by branch.
    `names` are expressions that several values use by name: ClickHouse analyses each once, not once a value.
    """

    relation: str
    second: str
    values: Mapping[str, str]
    ordered: bool = False
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Total:
    """What is made of the values of that name: `aggregate` has {0} where they go. `blank` adds nothing."""

    name: str
    aggregate: str = "sum({0})"
    blank: str = "0"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the view, as an expression of totals, which are called t_<name>."""

    name: str
    expression: str
    type: str
    comment: str


@dataclass(frozen=True, slots=True)
class PeriodView:
    """All that makes a view."""

    name: str
    comment: str
    every: str
    dimensions: tuple[str, ...]
    sources: Sequence[ViewSource]
    totals: Sequence[Total]
    columns: Sequence[Column]


def quoted(text: str) -> str:
    """Text as a string literal of ClickHouse."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def literal(value: object) -> str:
    """A number, text or list of these as ClickHouse writes it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    return quoted(value) if isinstance(value, str) else str(value)


def with_values(text: str, parameters: Mapping[str, object]) -> str:
    """A query with its parameters put in: a view has none. Types are kept: an empty list has none itself."""
    return PARAMETER.sub(lambda found: f"CAST({literal(parameters[found[1]])}, {quoted(found[2])})", text)


def stacked(view: PeriodView, periods: Grid) -> str:
    """Rows of all sources with the begin of their period and every value, where it has none the blank."""
    parts = []
    for source in view.sources:
        named = ", ".join(f"({expression}) AS {name}" for name, expression in source.names.items())
        select = f"WITH {named} SELECT" if named else "SELECT"
        values = [f"{source.values.get(total.name, total.blank)} AS {total.name}" for total in view.totals]
        for branch in periods.branches_of(source.second):
            period = [f"{branch.start} AS start_s", f"{branch.local} AS local_s"]
            listed = ", ".join([*period, *view.dimensions, *values])
            condition = f" WHERE {branch.condition}" if branch.condition else ""
            parts.append(f"{select} {listed}\n        FROM {source.relation}{condition}")
            if not source.ordered:
                period = [f"{periods.start_of(source.second)} AS start_s", f"{LOCAL} AS local_s"]
                listed = ", ".join([*period, *view.dimensions, *values])
                parts[-1] = f"{select} {listed}\n        FROM {source.relation}"
                break
    return "\n        UNION ALL ".join(parts)


def local_text(second: str, every: str) -> str:
    """A moment as the local clock shows it: the date, or the time with its offset from UTC."""
    offset = offset_of(second)
    moment = f"toDateTime({second} + {offset}, 'UTC')"
    if every in DAYS_ON:
        return f"formatDateTime({moment}, '%Y-%m-%d')"
    sign = f"if({offset} < 0, '-', '+')"
    clock = f"formatDateTime(toDateTime(abs({offset}), 'UTC'), '%H:%i')"
    return f"concat(formatDateTime({moment}, '%Y-%m-%d %H:%i'), {sign}, {clock})"


def label(every: str) -> str:
    """Begin of the period as text: the date, or the local time with its offset from UTC."""
    moment = "toDateTime(local_s, 'UTC')"
    if every in DAYS_ON:
        return f"formatDateTime({moment}, '%Y-%m-%d')"
    clock = "formatDateTime(toDateTime(abs(local_s - start_s), 'UTC'), '%H:%i')"
    return f"concat(formatDateTime({moment}, '%Y-%m-%d %H:%i'), if(local_s < start_s, '-', '+'), {clock})"


def local_columns(every: str) -> list[Column]:
    """The begin on the local clock. Types without a zone of their own: no tool may shift them."""
    columns = [
        Column("window_local", label(every), "String",
               "Begin as the clock of the reporting zone shows it; hours of a clock change differ."),
        Column("local_date", "toDate(toDateTime(local_s, 'UTC'))", "Date",
               "Date of the begin on the clock of the reporting zone: the time column for charts by day."),
    ]  # fmt: skip
    if every in DAYS_ON:
        return columns
    return [
        *columns,
        Column("local_time", "toDateTime(local_s, 'UTC')", "DateTime('UTC')",
               "Begin on the clock of the reporting time zone; typed as UTC so that no tool shifts it."),
        Column("utc_offset_s", "toInt32(local_s - start_s)", "Int32",
               "Seconds by which that clock is ahead of UTC then: tells the hours of a clock change apart."),
    ]  # fmt: skip


def fixed_columns(view: PeriodView) -> list[Column]:
    """The period and the dimensions."""
    return [
        Column("window_start", "toDateTime(start_s, 'UTC')", "DateTime('UTC')",
               "Begin of the local period, as UTC."),
        Column("window_end", f"toDateTime({end_of('start_s', view.every)}, 'UTC')", "DateTime('UTC')",
               "End of the period, not included, as UTC."),
        *local_columns(view.every),
        *(Column(name, name, "String", OWN.get(name, f"The {name}; '' for none."))
          for name in view.dimensions),
    ]  # fmt: skip


def parts_of(view: PeriodView, periods: Grid) -> dict[str, str]:
    """What the query of a view is made of, its columns apart."""
    return {
        "constants": periods.constants(),
        "by": ", ".join(["start_s", "local_s", *view.dimensions]),
        "totals": ", ".join(
            f"{total.aggregate.format(total.name)} AS t_{total.name}" for total in view.totals
        ),
        "stacked": stacked(view, periods),
    }


def period_view(view: PeriodView, periods: Grid) -> str:
    """The statement that makes or replaces the view."""
    columns = [*fixed_columns(view), *view.columns]
    return create(view.name, view.comment, columns, "period", **parts_of(view, periods))


def only_queues(view: PeriodView, queues: Sequence[str], these: bool = True) -> PeriodView:
    """The same of some queues, or of all others."""
    condition = f"queue {'' if these else 'NOT '}IN ({', '.join(map(quoted, queues))})"
    return replace(view, sources=[replace(s, relation=f"(SELECT * FROM {s.relation} WHERE {condition})")
                                  for s in view.sources])  # fmt: skip


def zoned_view(view: PeriodView, parts: Sequence[tuple[PeriodView, Grid]]) -> str:
    """The same of several parts, each with periods of its own."""
    columns = [*fixed_columns(view), *view.columns]
    queries = [query_of(columns, "period", **parts_of(part, periods)) for part, periods in parts]
    return created(view.name, view.comment, columns, "\nUNION ALL\n".join(queries))


def query_of(columns: Sequence[Column], query: str, **parts: str) -> str:
    """sql/views/<query>.sql with its parts put in."""
    selected = ",\n    ".join(f"{c.expression} AS `{c.name}`" for c in columns)
    return fill("views", query, columns=selected, **parts)


def created(name: str, comment: str, columns: Sequence[Column], text: str) -> str:
    """CREATE OR REPLACE VIEW, with types and comments."""
    declared = ",\n    ".join(f"`{c.name}` {c.type} COMMENT {quoted(c.comment)}" for c in columns)
    head = f"CREATE OR REPLACE VIEW {name}\n(\n    {declared}\n)\n{RIGHTS}"
    return f"{head}\nAS {text}\nCOMMENT {quoted(comment)}"


def create(name: str, comment: str, columns: Sequence[Column], query: str, **parts: str) -> str:
    """CREATE OR REPLACE VIEW of sql/views/<query>.sql with its parts put in."""
    return created(name, comment, columns, query_of(columns, query, **parts))
