"""How rows of a view are added up: a rule for every KPI, as SQL. Never an average of averages."""

from kpis.catalogue.figure import Longest, LongestWaitNow
from kpis.catalogue.kpi import Kpi
from sinks.views.columns import column_id


def added_up(kpi: Kpi) -> str:
    """The KPI over several rows of a view; "" where rows do not say it.

    Percentiles and the busiest hour are not in the rows: ask the view of the longer period or `ringback kpi`.
    """
    name = column_id(kpi)
    if isinstance(kpi.figure, Longest | LongestWaitNow):
        return f"max({name})"
    if kpi.figure is not None:
        return ""
    return f"sum({name}_num) / nullIf(sum({name}_den), 0)" if kpi.den else f"sum({name})"
