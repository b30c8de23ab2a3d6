"""docs/reference/kpis.md, from every KPI of the catalogue."""

from collections.abc import Mapping

from cli.kpi_list import sources_of
from docs.build.markdown import MADE, code, page, table
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.formula import formula
from kpis.catalogue.kpi import Kpi
from kpis.catalogue.origin import final_when, origin, settings_of
from kpis.catalogue.vendors import SAME_AS
from kpis.rules import DEFAULT_RULES, Rules
from schemas.time_units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

GROUPS = {
    "windows": "Queues, handling, resolution",
    "fcr": "First contact resolution and repeat contacts",
    "surveys": "Surveys",
    "agents": "Agents' time",
    "callbacks": "Callbacks",
    "facts": "Extremes, percentiles and others that are no quotients of sums",
    "live": "The present moment",
    "backlog": "Backlog",
    "states": "Agents' login and pauses",
}
APPLIES = {
    "all": "all channels",
    "sync": "channels on which somebody waits on the line (not {0})",
    "async": "{0}",
    "not_email": "all channels but email",
}
HEAD = """{count} KPIs and {variants} variants of them: the same question answered as others answer it,
such as `service_level.genesys`. The definitions are in `kpis/catalogue`, one entry each.

- **Unit**: a `ratio` is a number from 0 to 1 (`ringback kpi` prints percent), `ms` milliseconds
  (printed as seconds).
- **Formula**: integer sums, divided once, when read; nothing counted is no value, not 0. The measures
  are in `kpis/tallies` and `kpis/facts.py`, the rules behind them in [facts](../facts.md). Averages of
  averages are never taken.
- **Counted at**: the moment that decides the period. `entered` is when the leg entered its queue,
  `handled` when the agent was done, after-contact work included, `responded` when a survey was
  answered, `quarter` the quarter-hour of UTC, `as_of` the moment that is asked about.
- **Grain**: what is counted: a leg is one stint of a contact in a queue or with an agent, an anchor a
  handled contact of a known customer.
- **Moved as well by**: events that change it beside those it comes from;
  of an answer that was lost those that show an agent.
- **Rules that change it**: settings; the limit `skew_tolerance_s` changes every time.
- **Final**: when nothing but late, corrected and withdrawn events can change it.
- **The number of**: which products show the same number, and what they call it. A variant answers as its KPI
  does where its line says nothing else.
- **In SQL**: the [views](views.md) have a column with the id, `__` in place of the dot, and
  `<column>_n`: of how many.

These are the rules, version {version}; they can be [changed](../guide/rules.md). Answered within T
means {targets}, {default} on any other channel; an abandon within {short} is short; both limits are
inclusive. Asynchronous channels: {asynchronous}. Whoever comes back within {days} repeats a contact, by
default within {default_days}."""


def spoken(duration_ms: int) -> str:
    """A duration in its greatest whole unit."""
    for unit, length in (("d", DAY_MS), ("h", HOUR_MS), ("min", MINUTE_MS), ("s", SECOND_MS)):
        if duration_ms >= length and duration_ms % length == 0 and (unit != "min" or duration_ms > length):
            return f"{duration_ms // length} {unit}"
    return f"{duration_ms:,} ms"


def answers(kpi: Kpi) -> list[str]:
    """From what it comes, what moves it, when it is final, who calls it what, which sources can give it."""
    found = origin(kpi)
    given = sources_of(kpi)
    same = [f"{product}: {name}" for product, name in SAME_AS.get(kpi.id, ())]
    return [
        f"- Comes from: {', '.join(map(code, found.needs))}",
        *([f"- Moved as well by: {', '.join(map(code, found.moved_by))}"] if found.moved_by else []),
        f"- Rules that change it: {', '.join(map(code, settings_of(kpi))) or 'none'}",
        f"- Final: {final_when(kpi)}",
        f"- The number of: {'; '.join(same) or 'no product that we know'}",
        f"- Sources that can give it: {', '.join(given) or 'none of those here'}",
    ]


def moving(kpi: Kpi) -> set[str]:
    """All events that can change it."""
    found = origin(kpi)
    return {*found.needs, *found.moved_by}


def otherwise(variant: Kpi, kpi: Kpi) -> str:
    """What a variant answers otherwise than its KPI."""
    own = [line.removeprefix("- ") for line in answers(variant) if line not in answers(kpi)]
    if moving(variant) == moving(kpi):
        own = [line for line in own if not line.startswith("Moved")]
    return "; ".join([*([f"Unit: {variant.unit}"] if variant.unit != kpi.unit else []), *own])


def entry(kpi: Kpi, variants: list[Kpi], rules: Rules) -> str:
    """A KPI and its variants."""
    applies = APPLIES[kpi.applies].format(" and ".join(rules.async_channels))
    lines = [
        f"### {kpi.id}",
        "",
        f"**{kpi.name}.** {kpi.definition}",
        "",
        f"- Formula: {formula(kpi)}",
        f"- Unit: {kpi.unit}; grain: {kpi.grain}; counted at: {kpi.booked}; {applies}",
        f"- After: {kpi.source}",
        *answers(kpi),
    ]
    if variants:
        heads = ("Variant", "What is different", "Formula", "Counted at", "After", "Other answers")
        rows = [
            (code(v.id), f"{v.name}. {v.definition}", formula(v), v.booked, v.source, otherwise(v, kpi))
            for v in variants
        ]
        lines += ["", table(heads, rows)]
    return "\n".join(lines)


def head(kpis: Mapping[str, Kpi], rules: Rules) -> str:
    """What the page says first."""
    variants = sum(bool(kpi.variant_of) for kpi in kpis.values())
    targets = ", ".join(f"{spoken(target)} on {name}" for name, target in rules.service_level_ms.items())
    return HEAD.format(
        count=len(kpis) - variants,
        variants=variants,
        version=rules.version,
        targets=targets,
        default=spoken(rules.service_level_default_ms),
        short=spoken(rules.short_abandon_ms),
        asynchronous=", ".join(rules.async_channels),
        days=", ".join(map(str, rules.fcr.windows_days)) + " days",
        default_days=rules.fcr.default_days,
    )


def overview(kpis: Mapping[str, Kpi]) -> str:
    """All KPIs but variants, one a line."""
    heads = ("Id", "Name", "Unit", "Counted at", "Definition")
    rows = [
        (f"[`{kpi.id}`](#{kpi.id})", kpi.name, kpi.unit, kpi.booked, kpi.definition)
        for kpi in kpis.values()
        if not kpi.variant_of
    ]
    return table(heads, rows)


def group(table_name: str, title: str, kpis: Mapping[str, Kpi], rules: Rules) -> list[str]:
    """KPIs whose measures live in one place."""
    return [f"## {title}"] + [
        entry(kpi, [other for other in kpis.values() if other.variant_of == kpi.id], rules)
        for kpi in kpis.values()
        if kpi.table == table_name and not kpi.variant_of
    ]


def reference() -> str:
    """The page, by the default rules."""
    rules = DEFAULT_RULES
    kpis = every_kpi(rules)
    entries = [block for name, title in GROUPS.items() for block in group(name, title, kpis, rules)]
    return page("# KPIs", MADE, head(kpis, rules), "## All at a glance", overview(kpis), *entries)
