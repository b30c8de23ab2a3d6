"""What a KPI is: a named quotient of two integer sums, divided once, when read; or a figure of facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kpis.catalogue.figure import Figure, LongestWaitNow
from kpis.tallies.windows import WAIT_LIMITS_S

Unit = Literal[
    "count",  # of legs, contacts or answers: a whole number that can be summed
    "ms",  # a duration; commands print seconds
    "ratio",  # 0 to 1; commands print percent
    "points",  # on the scale of a survey, or from -100 to 100: no percentage
    "number",  # any other number, such as contacts at a time
    "hour",  # the begin of an hour, on the clock of the reporting time zone
]
# What is counted: stints in a queue or with an agent, contacts, contacts that first contact resolution is judged
# of, answers, agents' quarter-hours, or a period as a whole.
Grain = Literal["leg", "contact", "anchor", "survey", "agent", "range"]
Applies = Literal["all", "sync", "async", "not_email"]
# The moment that decides which period a KPI belongs to. Numerator and denominator must be booked at the same one:
# at two, a period would hold parts of different legs, and a ratio could exceed 1 (tests/unit/test_catalogue.py).
Booked = Literal[
    "entered",  # the leg entered its queue
    "handled",  # the agent was done with the leg, after-contact work included
    "started",  # the contact
    "first entered",  # the contact entered its first queue
    "ended",  # the contact
    "resolved",  # the leg, by its agent
    "closed",  # the contact, for good
    "first resolved",
    "last resolved",
    "answered",  # by activity: when the leg was answered, or an offer of it was over
    "left",  # by activity: when the leg was abandoned
    "responded",  # the survey was answered
    "quarter",  # the quarter-hour it happened in
    "as_of",  # the moment that is asked about
]
# Where the measures live: the contact stream's windows, those of first contact resolution, surveys, agents'
# quarter-hours; `facts` are computed from fact rows, `live` from the legs at a moment, `callbacks` from
# requests, `states` from what agents said they were, `backlog` from contacts, both at a moment.
Table = Literal["windows", "fcr", "surveys", "agents", "facts", "live", "callbacks", "states", "backlog"]
Maturity = Literal["", "final", "all", "pending"]
Terms = dict[str, int]  # measure -> coefficient

GENESYS = "Genesys Cloud metric definitions"
AMAZON = "Amazon Connect historical metrics definitions"
CISCO = "Cisco Unified Intelligence Center"
SPEC = "Ringback"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI. `num` and `den` are sums of measures with coefficients; an empty `den` is 1 (a count).

    `definition` is a sentence for readers; it names no value of a rule, as rules can be changed. `source` says
    whose definition it follows, a product or a text; `SPEC` where it is our own. `applies` leaves out channels
    where the KPI means nothing: nobody waits on the line for an e-mail. `figure` is what a KPI is that is no
    quotient of sums; its `table` follows from it. `days` is the window of a repeat contact, `dated_days`
    what it is of minutes from a moment on (from_ms, days), and `maturity` says which anchors count: those whose window has passed, all, or those whose has not. `n` names the measure that
    says how many were counted, where it is not the sum of `den`. `parts` is what both terms were
    multiplied by for the sake of fractions. A variant is the same question answered as
    others answer it: its id is `<variant_of>.<name>`.
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
    dated_days: tuple[tuple[int, int], ...] = ()
    maturity: Maturity = ""
    n: str = ""
    parts: int = 1
    variant_of: str = ""

    def days_at(self, minute_ms: int) -> int:
        """The window of a repeat contact, of what is booked in a minute."""
        return next((days for since, days in reversed(self.dated_days) if since <= minute_ms), self.days)

    def __post_init__(self) -> None:
        table = self.table
        if self.figure is not None:
            table = "live" if isinstance(self.figure, LongestWaitNow) else "facts"
        if self.table not in ("windows", table) or (table == "facts" and self.figure is None):
            raise ValueError(
                f"{self.id}: a figure's table is {table!r}, and facts are for figures; leave it out"
            )
        object.__setattr__(self, "table", table)

    @property
    def is_state(self) -> bool:
        """Is it the whole state at one moment, and no part of any period?"""
        return self.booked == "as_of"


def count(
    id_: str, name: str, booked: Booked, measure: str, definition: str, source: str, grain: Grain
) -> Kpi:
    """A KPI that is a plain number of legs or contacts."""
    return Kpi(id_, name, "count", grain, booked, definition, source, {measure: 1})


def within(measure: Literal["answered", "abandoned"], seconds: int) -> Terms:
    """Legs whose known wait was at most so long: one of WAIT_LIMITS_S."""
    return {f"{measure}_wait_{limit}": 1 for limit in WAIT_LIMITS_S if limit <= seconds}


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


def shown(kpi: Kpi, num: int, den: int) -> tuple[int, int]:
    """Both terms without the factor that fractions need, where these come to whole numbers."""
    return (num // kpi.parts, den // kpi.parts) if num % kpi.parts == 0 else (num, den)


def quotient(num: int, den: int) -> float | None:
    """The one division of the whole pipeline; nothing counted gives None, not 0."""
    return num / den if den else None
