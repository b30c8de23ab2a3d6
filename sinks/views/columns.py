"""Columns of the views: each KPI as expressions of totals, as reports.kpi.sums divides them."""

import re

from kpis.catalogue.kpi import Kpi, Terms
from kpis.rules import Rules
from sql.views.period import DAYS_ON, Column, literal, local_text

QUANTILE = re.compile(r"(wait|handle_time)_p(\d+)")
# Totals that figures of single legs are kept in.
FIGURES = {"longest_wait": "x_queue", "longest_hold": "x_hold", "wait": "x_wait", "handle_time": "x_handle"}


def column_id(kpi: Kpi) -> str:
    """Name of a KPI's column: a dot would have to be quoted everywhere."""
    return kpi.id.replace(".", "__")


def prefix(kpi: Kpi) -> str:
    """Where the sums of a KPI come from, in front of their names."""
    if kpi.table == "fcr":
        return f"f{kpi.days}_{kpi.maturity}_"
    return {"surveys": "r_" if kpi.booked == "responded" else "s_", "agents": "a_"}.get(kpi.table, "m_")


def applies(kpi: Kpi, rules: Rules) -> str:
    """Condition on the channel for a KPI to mean anything; "" for none."""
    listed = literal(list(rules.async_channels)) if rules.async_channels else "['']"
    conditions = {"sync": f"NOT has({listed}, channel)", "async": f"has({listed}, channel)",
                  "not_email": "channel != 'email'"}  # fmt: skip
    return conditions.get(kpi.applies, "")


def summed(terms: Terms, name: str) -> str:
    """A sum of totals; `name` has {0} where the measure goes."""
    totals = {name.format(measure): factor for measure, factor in terms.items()}
    parts = [total if factor == 1 else f"{factor} * {total}" for total, factor in totals.items()]
    return f"({' + '.join(parts)})"


def where(condition: str, expression: str) -> str:
    """The expression, or NULL where the condition does not hold."""
    return f"if({condition}, {expression}, NULL)" if condition else expression


def pair(kpi: Kpi, value: str, n: str, condition: str, type_: str = "Nullable(Float64)") -> list[Column]:
    """The columns of a KPI: its value, and how many it is about."""
    name, about = column_id(kpi), f"{kpi.name} ({kpi.unit}). {kpi.definition}"
    return [
        Column(name, where(condition, value), type_, about),
        Column(f"{name}_n", where(condition, n), "Nullable(Int64)", f"{kpi.name}: of how many."),
    ]


def quotient_columns(kpi: Kpi, name: str, condition: str) -> list[Column]:
    """A KPI that is a quotient of totals, or a plain total."""
    num = summed(kpi.num, name)
    if not kpi.den:
        return pair(kpi, num, num, condition, "Nullable(Int64)")
    den = summed(kpi.den, name)
    n = name.format(kpi.n) if kpi.n else den
    return pair(kpi, f"{num} / nullIf({den}, 0)", n, condition)


def figure_columns(kpi: Kpi, every: str) -> list[Column]:
    """A KPI that is no quotient of sums."""
    if kpi.id in ("longest_wait", "longest_hold"):
        name = FIGURES[kpi.id]
        return pair(kpi, f"t_{name}", f"t_{name}_n", "", "Nullable(Int64)")
    if kpi.fact == "callback":
        return pair(kpi, "t_x_callback_ms / nullIf(t_x_callback_n, 0)", "t_x_callback_n", "")
    if kpi.fact == "peak":
        return peak_columns(kpi, every) if every in DAYS_ON else []
    named = QUANTILE.fullmatch(kpi.id)
    if not named:
        raise ValueError(f"views do not know how to compute {kpi.id}")
    values = f"t_{FIGURES[named[1]]}"
    place = f"intDiv({named[2]} * length({values}) + 99, 100)"
    value = f"if(empty({values}), NULL, {values}[{place}])"
    return pair(kpi, value, f"length({values})", "", "Nullable(Int64)")


def peak_columns(kpi: Kpi, every: str) -> list[Column]:
    """The busiest hour within the period, as the local clock shows its begin."""
    inside = "(hour, contacts) -> hour >= start_s AND hour + 3600 <= toUnixTimestamp(window_end)"
    hours, counts = "t_x_quarter.1", "t_x_quarter.2"
    fitting = f"arrayFilter({inside}, {hours}, {counts})"
    totals = f"arrayFilter({inside.replace('(hour, contacts)', '(contacts, hour)')}, {counts}, {hours})"
    most = f"arrayMax({totals})"
    moment = local_text(f"{fitting}[indexOf({totals}, {most})]", "1h")
    shown = f"substring({moment}, 12, 5)" if every == "1d" else f"substring({moment}, 1, 16)"
    return pair(kpi, f"if(empty({fitting}), NULL, {shown})", f"if(empty({fitting}), 0, {most})", "",
                "Nullable(String)")  # fmt: skip


def final_column(kpi: Kpi) -> Column:
    """Whether time alone can still change a KPI of repeat contacts."""
    done = "1" if kpi.booked == "started" else f"t_f{kpi.days}_pending_anchors = 0"
    about = f"{kpi.name}: 1 when the {kpi.days} days of every contact in here have passed."
    return Column(f"{column_id(kpi)}_final", f"toUInt8({done})", "UInt8", about)
