"""SQL that decides again when an alert fired and ended, from minutes: the oracle of alert_transitions."""

from collections.abc import Mapping, Sequence

from sql.kpi_queries import STREAM_WINDOWS, window_source
from sql.templates import fill

# Where a KPI means anything (kpis.catalogue.kpi.applicable).
APPLIES = {
    "all": "1",
    "sync": "NOT has({async_channels:Array(String)}, channel)",
    "async": "has({async_channels:Array(String)}, channel)",
    "not_email": "channel != 'email'",
}


def terms(amounts: Mapping[str, int]) -> str:
    """A sum of measures with their coefficients."""
    return " + ".join(f"{factor:d} * m_{name}" for name, factor in amounts.items())


def alert_transitions(
    num: Mapping[str, int], den: Mapping[str, int], by: Sequence[str], applies: str, since: str
) -> str:
    """labels (values of `by`), at, kind, opened_at, window_ms, successes, n of a rule of type objective.

    `since` is the parameter that says from when on minutes are read: as far back as windows and the weeks
    before reach.
    """
    source = window_source(STREAM_WINDOWS, [*dict.fromkeys((*num, *den))])
    return fill(
        "oracle",
        "alert_transitions",
        labels=f"[{', '.join(by)}]::Array(String)",
        num=terms(num),
        den=terms(den),
        applies=APPLIES[applies],
        source=source.replace("{from_ms:Int64}", f"{{{since}:Int64}}"),
    )
