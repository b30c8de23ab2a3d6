"""docs/reference/views.md, from the statements that make the views and the comments in them."""

import re
from collections.abc import Iterator

from docs.build.fact_columns import BY_DAYS, MEANINGS
from docs.build.markdown import MADE, code, page, table
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES
from sinks.rows import COLUMNS
from sinks.views.columns import column_id
from sinks.views.statements import statements

HEAD = """Views of the database `ringback` in ClickHouse. The sink makes them when it starts, for the
rules and the reporting time zone that it is given; with another zone it replaces them, and where UTC
stands below it is that zone. Times are UTC. Views and their columns are what you may build on from the
first release; [reading](../guide/reading.md#sql) says how to use them. `DESCRIBE kpi_day` shows what
each column means."""
KPI_HEAD = """A KPI has two columns: its value, named by the id with `__` in place of the dot, and
`<column>_n`, of how many. Those of first contact resolution have `<column>_final` as well: 1 when time
alone cannot change it any more. The value is NULL where nothing was counted; value and n are NULL where
the KPI means nothing on the channel. The [KPIs](kpis.md) are defined on their own page."""
TABLES = """Below the views are tables, which replace rows by key and may change: {names}. Whoever reads
them reads with `FINAL`, leaves out `is_deleted = 1`, sums first and divides last. Not to build on at
all: `schema_migrations`, tables that begin with `oracle_` (they live as long as one query), the numbers
in `version`, the bytes in `canonical`, and all Kafka topics but `contact-events`, `agent-events` and
`source-heartbeats`."""
DECLARED = re.compile(r"^    `(\w+)` (.+) COMMENT '((?:[^'\\]|\\.)*)',?$", re.MULTILINE)
COMMENT = re.compile(r"COMMENT '((?:[^'\\]|\\.)*)'\s*\Z")
# The view of facts -> the table it shows.
FACTS = {
    "contact": "contacts",
    "leg": "legs",
    "survey": "surveys",
    "offer": "offers",
    "repeat_contact": "fcr",
}
HIDDEN = ("version", "is_deleted")
Columns = dict[str, tuple[str, str]]


def plain(text: str) -> str:
    """A string literal without its escapes."""
    return re.sub(r"\\(.)", r"\1", text)


def comment(statement: str) -> str:
    """What a view says of itself."""
    found = COMMENT.search(statement)
    if not found:
        raise ValueError(f"no comment: {statement[:60]}")
    return plain(found[1])


def declared(statement: str) -> Columns:
    """Columns that the statement declares: type and meaning by name."""
    return {name: (kind, plain(said)) for name, kind, said in DECLARED.findall(statement)}


def kpi_columns() -> dict[str, str]:
    """Id of the KPI by each name of a column that comes from it."""
    ends = ("", "_n", "_final")
    return {f"{column_id(kpi)}{end}": kpi.id for kpi in every_kpi(DEFAULT_RULES).values() for end in ends}


def fact_columns(view: str) -> list[tuple[str, str]]:
    """Columns of a view of facts: name and meaning."""
    said = MEANINGS[view]
    names = [name for name in COLUMNS[FACTS[view]] if name not in HIDDEN] if view in FACTS else [*said]
    if {*names} != {*said}:
        raise ValueError(f"{view}: {sorted({*names} ^ {*said})} in one place only")
    rows = [(code(name), said[name]) for name in names]
    if view == "repeat_contact":
        rows += [
            (code(f"{name}_w{days}d"), meaning.format(days))
            for days in DEFAULT_RULES.fcr.windows_days
            for name, meaning in BY_DAYS.items()
        ]
    return rows


def entry(view: str, statement: str) -> Iterator[str]:
    """A view of facts, or of sources."""
    columns = declared(statement)
    rows = [(code(name), said) for name, (_, said) in columns.items()] or fact_columns(view)
    yield f"### {view}"
    yield comment(statement)
    yield table(("Column", "Meaning"), rows)


def fixed(views: dict[str, str]) -> Iterator[str]:
    """Columns of the views of KPIs that no KPI names: once for all views that have the same."""
    of_kpis = kpi_columns()
    groups: dict[tuple[tuple[str, str, str], ...], list[str]] = {}
    for view, statement in views.items():
        columns = declared(statement).items()
        own = tuple((code(name), kind, said) for name, (kind, said) in columns if name not in of_kpis)
        groups.setdefault(own, []).append(view)
    for rows, names in groups.items():
        yield (
            f"Beside the KPIs, {ranges(names, [*views])} have:"
            if names[1:]
            else f"Beside the KPIs, {names[0]} has:"
        )
        yield table(("Column", "Type", "Meaning"), rows)


def kpi_rows(views: dict[str, str]) -> list[tuple[str, str, str]]:
    """Which KPI has which columns in which views."""
    found = {name: declared(statement) for name, statement in views.items()}
    rows = []
    for kpi in every_kpi(DEFAULT_RULES).values():
        column = column_id(kpi)
        holding = [name for name, columns in found.items() if column in columns]
        if not holding:
            raise ValueError(f"no view has {kpi.id}")
        ends = [end for end in ("", "_n", "_final") if any(column + end in found[name] for name in holding)]
        rows.append((code(kpi.id), ", ".join(code(column + end) for end in ends), ranges(holding, [*found])))
    return rows


def ranges(holding: list[str], views: list[str]) -> str:
    """Views by name, those in a row as "first to last"."""
    parts: list[list[str]] = []
    for name in holding:
        before = parts[-1][-1] if parts else ""
        alike = name.partition("_")[0] == before.partition("_")[0]
        if alike and views.index(name) == views.index(before) + 1:
            parts[-1].append(name)
        else:
            parts.append([name])
    spoken = [part[0] if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in parts]
    return ", ".join(spoken)


def reference() -> str:
    """The page, by the default rules."""
    views = statements(DEFAULT_RULES, "UTC")
    by_kpi = {name: text for name, text in views.items() if {*declared(text)} & {*kpi_columns()}}
    others = {name: text for name, text in views.items() if name not in by_kpi}
    names = ", ".join(map(code, COLUMNS))
    return page(
        "# Views",
        MADE,
        HEAD,
        "## Views of KPIs",
        table(("View", "A row is about"), [(code(name), comment(text)) for name, text in by_kpi.items()]),
        *fixed(by_kpi),
        "## KPIs in the views",
        KPI_HEAD,
        table(("KPI", "Columns", "Views"), kpi_rows(by_kpi)),
        "## Views of facts and sources",
        *(block for name, text in others.items() for block in entry(name, text)),
        "## Tables",
        TABLES.format(names=names),
    )
