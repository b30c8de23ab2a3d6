"""Columns that say whether a row can still change without a correction."""

from kpis.rules import Rules
from schemas.time_units import MINUTE_MS
from sql.views.period import NOW_MS, Column, Total, literal

STILL, CONTACTS = "w_still", "w_contacts"
FINAL_TOTALS = [Total(STILL), Total(CONTACTS)]


def still_waiting(second: str, waiting: str, rules: Rules) -> str:
    """What a window adds: its legs that wait, unless they are silent for so long that their end was lost."""
    asynchronous = literal(list(rules.async_channels)) if rules.async_channels else "['']"
    stale = f"if(has({asynchronous}, channel), {rules.stale_async_ms}, {rules.stale_ms})"
    return f"if(({second}) * 1000 + {MINUTE_MS} + {stale} > {NOW_MS}, {waiting}, 0)"


def final_columns() -> list[Column]:
    """Of a view made of windows."""
    return [
        Column("still_waiting", f"t_{STILL}", "Int64",
               "Legs of this period that wait in their queue still: what is counted at entry may change."),
        Column("final", f"toUInt8(window_end <= now('UTC') AND t_{STILL} = 0 AND t_{CONTACTS} = 0)", "UInt8",
               "1 when time alone can change no number of the row, those with a _final of their own aside: "
               "the period is over and nobody waits. A late event or a correction always can."),
    ]  # fmt: skip
