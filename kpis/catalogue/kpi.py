"""What a KPI is: a named quotient of two integer sums, divided once, when read; or a figure of facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kpis.catalogue.figure import Figure, LongestWaitNow

Unit = Literal["count", "ms", "ratio", "points", "number", "hour"]
Grain = Literal["leg", "contact", "anchor", "survey", "agent", "range"]
Applies = Literal["all", "sync", "async", "not_email"]
Booked = Literal[
    "entered",
    "handled",
    "started",
    "ended",
    "first resolved",
    "last resolved",
    "answered",  # by activity: when the leg was answered
    "left",  # by activity: when the leg was abandoned
    "responded",
    "quarter",  # the quarter-hour it happened in
    "as_of",
]
# Where the measures live: the contact stream's windows, those of first contact resolution, surveys, agents'
# quarter-hours; `facts` are computed from fact rows, `live` from the legs at a moment.
Table = Literal["windows", "fcr", "surveys", "agents", "facts", "live"]
Maturity = Literal["", "final", "all", "pending"]
Terms = dict[str, int]  # measure -> coefficient

GENESYS = "Genesys Cloud metric definitions"
AMAZON = "Amazon Connect historical metrics definitions"
CISCO = "Cisco Unified Intelligence Center"
SPEC = "Ringback"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI. `num` and `den` are sums of measures with coefficients; an empty `den` is 1 (a count).

    `applies` leaves out channels where the KPI means nothing: nobody waits on the line for an e-mail. `figure`
    is what a KPI is that is no quotient of sums. `days` is the window of a repeat contact, and
    `maturity` says which anchors count: those whose window has passed, all, or those whose has not. `n` names
    the measure that says how many were counted, where it is not the sum of `den`. A variant is the same
    question answered as others answer it: its id is `<variant_of>.<name>`.
    """

    id: str
    name: str
    unit: Unit
    grain: Grain
    booked: Booked
    definition: str
    source: str
    num: Terms = field(default_factory=dict)
    den: Terms = field(default_factory=dict)
    applies: Applies = "all"
    figure: Figure | None = None
    table: Table = "windows"
    days: int = 0
    maturity: Maturity = ""
    n: str = ""
    variant_of: str = ""

    def __post_init__(self) -> None:
        of_facts = self.figure is not None and not isinstance(self.figure, LongestWaitNow)
        if of_facts != (self.table == "facts"):
            raise ValueError(f"{self.id}: figures, and nothing else, are in the table of facts")

    @property
    def is_state(self) -> bool:
        """Is it the whole state at one moment, and no part of any period?"""
        return self.booked == "as_of"


def count(
    id_: str, name: str, booked: Booked, measure: str, definition: str, source: str, grain: Grain
) -> Kpi:
    """A KPI that is a plain number of legs or contacts."""
    return Kpi(id_, name, "count", grain, booked, definition, source, {measure: 1})


def applicable(kpi: Kpi, channel: str, async_channels: tuple[str, ...]) -> bool:
    """Does the KPI mean anything on this channel?"""
    if kpi.applies == "sync":
        return channel not in async_channels
    if kpi.applies == "async":
        return channel in async_channels
    return not (kpi.applies == "not_email" and channel == "email")


def total(terms: Terms, sums: Mapping[str, int]) -> int:
    """Value of a sum of measures; 1 for the empty denominator of a count."""
    return sum(factor * sums.get(measure, 0) for measure, factor in terms.items()) if terms else 1


def quotient(num: int, den: int) -> float | None:
    """The one division of the whole pipeline; nothing counted gives None, not 0."""
    return num / den if den else None
