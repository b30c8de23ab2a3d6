"""docs/reference/views.md, from the statements that make the views and the comments in them."""

import re
from collections.abc import Iterator

from docs.build.markdown import MADE, code, page, table
from kpis.catalogue.every_kpi import every_kpi
from kpis.rules import DEFAULT_RULES
from sinks.rows import COLUMNS
from sinks.views.columns import column_id
from sinks.views.statements import PERIODS, statements
from sql.views.others import COMMENTS

HEAD = """Views of the database `ringback` in ClickHouse. The sink makes them when it starts, for the
rules and the reporting time zone that it is given; with another zone it replaces them, and where UTC
stands below it is that zone. Times are UTC. Views and their columns are what you may build on from the
first release; [BI](bi.md) says how to use them. `DESCRIBE kpi_day` shows what
each column means."""
KPI_HEAD = """A KPI has several columns: its value, named by the id with `__` in place of the dot, `_n`, of
how many, and, if it is a quotient, `_num` and `_den`, the integers that were divided. Those of first contact
resolution have `_final` as well: 1 when time alone cannot change it any more. The value is NULL where nothing
was counted; all are NULL where the KPI means nothing on the channel. How rows are added up: [BI](bi.md). The
[KPIs](kpis.md) are defined on their own page."""
TABLES = """Below the views are tables, which replace rows by key and may change: {names}. Whoever reads
them reads with `FINAL`, leaves out `is_deleted = 1`, sums first and divides last. Not to build on at
all: `schema_migrations`, tables that begin with `oracle_` (they live as long as one query), the numbers
in `version`, the bytes in `canonical`, and all Kafka topics but `contact-events`, `agent-events` and
`source-heartbeats`."""
DECLARED = re.compile(r"^    `(\w+)` (.+) COMMENT '((?:[^'\\]|\\.)*)',?$", re.MULTILINE)
COMMENT = re.compile(r"COMMENT '((?:[^'\\]|\\.)*)'\s*\Z")
ENDS = ("", "_n", "_num", "_den", "_final")
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
    return {f"{column_id(kpi)}{end}": kpi.id for kpi in every_kpi(DEFAULT_RULES).values() for end in ENDS}


def entry(view: str, statement: str) -> Iterator[str]:
    """A view of facts, or of sources."""
    rows = [(code(name), kind, said) for name, (kind, said) in declared(statement).items()]
    yield f"### {view}"
    yield comment(statement)
    yield table(("Column", "Type", "Meaning"), rows)


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
        ends = [end for end in ENDS if any(column + end in found[name] for name in holding)]
        rows.append((code(kpi.id), ", ".join(code(column + end) for end in ends), ranges(holding, [*found])))
    return rows


def family(name: str) -> tuple[str, str]:
    """What views of several periods have in common: the begin and the end of their names."""
    found = re.fullmatch(rf"(\w+?)_({'|'.join(PERIODS)})(_\w+)?", name)
    return (found[1], found[3] or "") if found else (name, "")


def ranges(holding: list[str], views: list[str]) -> str:
    """Views by name; those of one family as "first to last"."""
    families: dict[tuple[str, str], list[str]] = {}
    for name in sorted(holding, key=views.index):
        families.setdefault(family(name), []).append(name)
    spoken = [part[0] if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in families.values()]
    return ", ".join(spoken)


def reference() -> str:
    """The page, by the default rules."""
    views = statements(DEFAULT_RULES, "UTC")
    by_kpi = {name: text for name, text in views.items() if name not in {*COMMENTS, "source_health"}}
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
