"""Columns of the views: each KPI as expressions of totals, as reports.kpi.sums divides them."""

from kpis.catalogue.kpi import Kpi, Terms
from kpis.rules import Rules
from sql.views.period import Column, literal


def column_id(kpi: Kpi) -> str:
    """Name of a KPI's column: a dot would have to be quoted everywhere."""
    return kpi.id.replace(".", "__")


def length(kpi: Kpi) -> str:
    """Name of the KPI's window of repeat contacts: its days, or `dated` where they are others from a date."""
    return "fdated" if kpi.dated_days else f"f{kpi.days}"


def prefix(kpi: Kpi) -> str:
    """Where the sums of a KPI come from, in front of their names."""
    if kpi.table == "fcr":
        return f"{length(kpi)}_{kpi.maturity}_"
    if kpi.table == "surveys":
        return "r_" if kpi.booked == "responded" else "s_"
    return {"agents": "a_", "callbacks": "c_", "states": "l_", "backlog": "b_"}.get(kpi.table, "m_")


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


def value_and_n(
    kpi: Kpi, value: str, n: str, condition: str, type_: str = "Nullable(Float64)"
) -> list[Column]:
    """The columns of a KPI: its value, and how many it is about."""
    name, about = column_id(kpi), f"{kpi.name} ({kpi.unit}). {kpi.definition}"
    return [
        Column(name, where(condition, value), type_, about),
        Column(f"{name}_n", where(condition, n), "Nullable(Int64)", f"{kpi.name}: of how many."),
    ]


def quotient_columns(kpi: Kpi, name: str, condition: str) -> list[Column]:
    """A KPI that is a quotient of totals, with both terms; or a plain total."""
    num = summed(kpi.num, name)
    if not kpi.den:
        return value_and_n(kpi, num, num, condition, "Nullable(Int64)")
    den = summed(kpi.den, name)
    n = name.format(kpi.n) if kpi.n else den
    return [
        *value_and_n(kpi, f"{num} / nullIf({den}, 0)", n, condition),
        *(
            Column(f"{column_id(kpi)}_{end}", where(condition, term), "Nullable(Int64)",
                   f"{kpi.name}: {what}, to be summed over rows.")
            for end, term, what in (("num", num, "numerator"), ("den", den, "denominator"))
        ),
    ]  # fmt: skip


def final_column(kpi: Kpi) -> Column:
    """Whether time alone can still change a KPI of repeat contacts."""
    done = "1" if kpi.booked == "started" else f"t_{length(kpi)}_pending_anchors = 0"
    lengths = " or ".join(map(str, (kpi.days, *(days for _, days in kpi.dated_days))))
    about = f"{kpi.name}: 1 when the {lengths} days of every contact in here have passed."
    return Column(f"{column_id(kpi)}_final", f"toUInt8({done})", "UInt8", about)
