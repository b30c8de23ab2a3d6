"""docs/kpis.md, made from the registry: `make docs` writes it, a test compares it."""

from collections.abc import Mapping

from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.figure import (
    CallbackWait,
    Figure,
    Longest,
    LongestWaitNow,
    PeakHour,
    Quantile,
    unknown_figure,
)
from kpis.catalogue.kpi import Kpi, Terms
from kpis.rules import Rules
from schemas.time_units import DAY_MS, HOUR_MS, SECOND_MS

GROUPS = {
    "windows": "Queues, handling, resolution",
    "fcr": "First contact resolution and repeat contacts",
    "surveys": "Surveys",
    "agents": "Agents' time",
    "facts": "Extremes, percentiles and others that are no quotients of sums",
    "live": "The present moment",
}
APPLIES = {
    "all": "all channels",
    "sync": "channels on which somebody waits on the line (not {0})",
    "async": "{0}",
    "not_email": "all channels but email",
}
HEAD = """# KPIs

Made from `kpis/catalogue/` by `make docs`; do not edit. {count} KPIs and {variants} variants of them: the
same question answered as others answer it.

- **Formula**: integer sums, divided once, when read; nothing counted is no value, not 0. The measures are in
  `kpis/tallies/` and `kpis/facts.py`, the rules behind them in [facts.md](facts.md). Durations are
  milliseconds, ratios numbers from 0 to 1.
- **Counted at**: the moment that decides the period. `entered` is when the leg entered its queue, `handled`
  when the agent was done, `quarter` the quarter-hour of UTC, `as_of` the moment that is asked about.
- **Grain**: what is counted: a leg is one stint of a contact in a queue or with an agent, an anchor a handled
  contact of a known customer.
- **In SQL**: the column of the views `kpi_minute` to `kpi_month`, `agent_quarter_hour` to `agent_month` or
  `kpi_now` is the id with `__` in place of the dot; `<column>_n` says of how many.

These are the rules, version {version}. Answered within T means {targets},
{default} on any other channel; an abandon within {short} is short; both limits are inclusive. Asynchronous
channels: {asynchronous}. Whoever comes back within {days} repeats a contact, by default
within {default_days}.
"""


def spoken(duration_ms: int) -> str:
    """A duration in its greatest whole unit."""
    for unit, length in (("d", DAY_MS), ("h", HOUR_MS), ("min", 60 * SECOND_MS), ("s", SECOND_MS)):
        if duration_ms >= length and duration_ms % length == 0 and (unit != "min" or duration_ms > length):
            return f"{duration_ms // length} {unit}"
    return f"{duration_ms:,} ms"


def side(terms: Terms) -> str:
    """One side of a quotient."""
    text = ""
    for measure, factor in terms.items():
        sign = "-" if factor < 0 else "+"
        times = "" if abs(factor) == 1 else f"{abs(factor):,} × "
        text += f" {sign} {times}`{measure}`" if text or factor < 0 else f"{times}`{measure}`"
    return text.strip()


def figure_formula(figure: Figure) -> str:
    """What stands in place of a quotient."""
    match figure:
        case Longest(duration):
            return f"the greatest `{duration}`"
        case LongestWaitNow():
            return "the greatest age of a waiting leg"
        case Quantile():
            return "lower quantile of single values"
        case CallbackWait():
            return "mean of single waits"
        case PeakHour():
            return "the four quarter-hours in a row with most `contacts`"
    raise unknown_figure(figure, "kpis/page.py")


def formula(kpi: Kpi) -> str:
    """How a KPI is made of measures."""
    if kpi.figure is not None:
        return figure_formula(kpi.figure)
    num = f"({side(kpi.num)})" if len(kpi.num) > 1 and kpi.den else side(kpi.num)
    quotient = f"{num} / ({side(kpi.den)})" if len(kpi.den) > 1 else f"{num} / {side(kpi.den)}"
    text = quotient if kpi.den else num
    if kpi.table != "fcr":
        return text
    which = {
        "final": ", of those whose window has passed",
        "pending": ", of those whose window has not passed",
    }
    return f"{text}, within {kpi.days} d{which.get(kpi.maturity, '')}"


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
    ]
    if variants:
        lines += [
            "",
            "| Variant | What is different | Formula | Counted at | After |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| `{v.id}` | {v.name}. {v.definition} | {formula(v)} | {v.booked} | {v.source} |"
            for v in variants
        ]
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


def page(rules: Rules) -> str:
    """The whole page."""
    kpis = every_kpi(rules)
    parts = [head(kpis, rules)]
    for table, title in GROUPS.items():
        parts.append(f"## {title}\n")
        parts += [
            entry(kpi, [other for other in kpis.values() if other.variant_of == kpi.id], rules) + "\n"
            for kpi in kpis.values()
            if kpi.table == table and not kpi.variant_of
        ]
    return "\n".join(parts)


def table_rows(rules: Rules) -> list[str]:
    """Rows of the README's table: id, name, unit, counted at, definition. No variants."""
    return [
        f"| `{kpi.id}` | {kpi.name} | {kpi.unit} | {kpi.booked} | {kpi.definition} |"
        for kpi in every_kpi(rules).values()
        if not kpi.variant_of
    ]
