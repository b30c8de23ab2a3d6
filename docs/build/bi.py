"""docs/reference/bi.md: what BI tools may rely on, by the registry of KPIs."""

from docs.build.markdown import MADE, code, page, table
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from kpis.rules import DEFAULT_RULES
from sinks.views.adding import added_up
from sinks.views.kpi_views import core_view
from sinks.views.statements import FACT_VIEWS, KPI_VIEWS, kinds

HEAD = """The contract for BI tools: views with stable names in the database `ringback` of ClickHouse, by the
HTTP
protocol. Every number in them is the one that `ringback kpi` prints. Columns of each view:
[views](views.md); what each KPI is: [KPIs](kpis.md); how to connect:
[reading](../guide/reading.md#bi-tools)."""

WHICH = """## Which view for which chart

Replace `day` by `minute`, `quarter_hour`, `half_hour`, `hour`, `week` or `month`; which there are is in
the table. `_wide` has every KPI with its variants and costs 0.1 s more to plan, and reads single legs:
build dashboards on the others. Take the view of the period that the chart shows, with no time grain on
top."""

TIME_COLUMNS = (
    ("`window_start`, `window_end`", "DateTime('UTC')",
     "the instant: for Grafana, and whatever sets the zone of its dashboard itself"),
    ("`local_date`", "Date",
     "the axis of charts by day, week and month, and a filter everywhere: the date on the clock of "
     "`RINGBACK_TIMEZONE`"),
    ("`local_time`", "DateTime('UTC')",
     "the axis of charts by hour and shorter in Superset: what the local clock shows, typed as UTC so that "
     "no tool shifts it"),
    ("`utc_offset_s`", "Int32", "tells apart the two hours of one name when clocks are set back"),
    ("`window_local`", "String", "a label for people"),
)  # fmt: skip
TIME = """A condition on `window_start`, `local_date` or `local_time` reads only that part of the windows.
Do not use `window_start` as a local day: in Rome the row of 6 January begins on 5 January at 23:00 UTC."""

ADDING = """## Adding up rows

Never average a ratio: `AVG(service_level)` weighs a quiet night like a busy noon. Each quotient stands
beside its integer numerator and denominator, `_num` and `_den`; over several rows (periods, queues,
agents) it is

```sql
SELECT local_date, sum(service_level_num) / nullIf(sum(service_level_den), 0) AS service_level
FROM kpi_hour WHERE local_date >= '2026-01-05' GROUP BY local_date
```

- A count is `sum`, a longest wait is `max`, each quotient `sum(..._num) / nullIf(sum(..._den), 0)`.
- Percentiles and the busiest hour cannot be added up, whatever the weights: ask the view of the longer
  period, or `ringback kpi`.
- `_num` and `_den` are sums of parts where the KPI has fractions (thousandths of a point in `csat`);
  the quotient is right.
- Values are NULL where nothing was counted and where the KPI means nothing on the channel: then it adds
  nothing.
- Contacts that cross periods are counted once, in the period of their booking, so sums over periods are
  exact."""

FINAL = """## Final or not

- `final` is 1 when the period is over and none of its legs waits; `still_waiting` says how many do.
- First contact resolution has `_final` for each KPI: 1 when the days after every contact have passed.
  `fcr_net` counts those contacts alone, `fcr_gross_provisional` all of them; `fcr_coverage` says which
  share of contacts has a customer to be judged by.
- A late event or a correction can change any row at any time: what changes is the number, nothing has
  to be reloaded.
- `source_health` says when each source was last heard of: a source that is silent makes recent rows
  incomplete."""

LIMITS = """## What it costs

Sums of a day come from windows, longest values and percentiles (`_figures`) from the legs of that day,
whatever is stored. `_callbacks`, `_wide` and the views by reason, agent, queue and agent, and dimension
read single legs or contacts, all of them for any condition on time: seconds at 10 million contacts.
Measured: [sizing](../operating/sizing.md#bi).

Not to be used: tables, and any name that this page and [views](views.md) do not have."""


def kpi_row(kpi: Kpi) -> tuple[str, str, str, str]:
    """One line of the table of core KPIs."""
    rule = added_up(kpi)
    return code(kpi.id), kpi.unit, code(core_view(kpi)), code(rule) if rule else "not from rows"


def view_rows() -> list[tuple[str, str, str, str]]:
    """The families of views."""
    periods = {"": [*KPI_VIEWS], "_figures": [], "_callbacks": [], "_wide": []}
    for name, every in KPI_VIEWS.items():
        for kind in kinds(every):
            if kind:
                periods[kind].append(name)
    said = {"": "the core: sums of windows", "_figures": "longest, percentiles, busiest hour",
            "_callbacks": "call-backs", "_wide": "every KPI with its variants"}  # fmt: skip
    rows = [
        (
            code(f"kpi_day{kind}"),
            "channel, queue",
            said[kind],
            ", ".join(n.removeprefix("kpi_") for n in names),
        )
        for kind, names in periods.items()
    ]
    what = {"agent": "of agents, with FCR and surveys; `_wide` with variants", "reason": "the core, surveys",
            "dimension": "the core, surveys; ask for one: `WHERE dimension = 'brand'`",
            "queue_agent": "as `agent_day`, without logged time", "survey": "of surveys"}  # fmt: skip
    for views, by in FACT_VIEWS:
        head = next(iter(views)).removesuffix("_quarter_hour").removesuffix("_half_hour")
        listed = ", ".join(name.removeprefix(f"{head}_") for name in views)
        rows.append((code(f"{head}_day"), ", ".join(by), what[head], listed))
    rows.append((code("kpi_now"), "channel, queue", "what waits and is handled at this moment", ""))
    return rows


def reference() -> str:
    """The page, by the default rules."""
    core = [kpi for kpi in every_kpi(DEFAULT_RULES).values() if not kpi.variant_of]
    return page(
        "# BI",
        MADE,
        HEAD,
        WHICH,
        table(("View", "By", "KPIs", "Periods"), view_rows()),
        "## Time",
        table(("Column", "Type", "For"), TIME_COLUMNS),
        TIME,
        ADDING,
        FINAL,
        LIMITS,
        "## Core KPIs\n\nVariants follow the same rules, in the `_wide` views.",
        table(("KPI", "Unit", "View", "Over several rows"), [kpi_row(kpi) for kpi in core]),
    )
