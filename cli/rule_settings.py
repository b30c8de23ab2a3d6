"""What vendors count differently, as settings: the table `[rules]` of ringback.toml.

The descriptions become docs/reference/settings.md (`make docs`), in Markdown.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cli.business_hours import CalendarSettings
from kpis.rules import DEFAULT_RULES
from schemas.time_units import HOUR_MS

YEAR_DAYS = 366

Seconds = Annotated[float, Field(ge=0, le=YEAR_DAYS * 86_400)]
Hours = Annotated[float, Field(gt=0, le=YEAR_DAYS * 24)]
Days = Annotated[int, Field(ge=1, le=YEAR_DAYS)]


class Table(BaseModel):
    """A table of ringback.toml: what is not known in it is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FcrSettings(Table):
    """How repeat contacts are judged."""

    windows_days: tuple[Days, ...] = Field(
        DEFAULT_RULES.fcr.windows_days,
        min_length=1,
        description="Lengths of the window in days: whoever comes back within it repeats a contact.",
    )
    default_days: Days = Field(
        DEFAULT_RULES.fcr.default_days, description="The window of KPIs whose id names none."
    )
    match_reason: bool = Field(
        DEFAULT_RULES.fcr.match_reason, description="Only a contact for the same reason is a repeat."
    )
    cross_channel: bool = Field(
        DEFAULT_RULES.fcr.cross_channel, description="One on another channel is a repeat as well."
    )
    begin: Literal["started", "entered"] = Field(
        DEFAULT_RULES.fcr.begin,
        description="From when the later contact counts: when it started, or entered its first queue.",
    )
    evidence: Literal["any", "handled"] = Field(
        DEFAULT_RULES.fcr.evidence, description="`handled`: a repeat that nobody answered is none."
    )
    anchors: Literal["handled", "closed"] = Field(
        DEFAULT_RULES.fcr.anchors,
        description="`closed`: a contact that ended without any agent is judged as well.",
    )
    overlapping: bool = Field(
        DEFAULT_RULES.fcr.overlapping,
        description="A contact that began before the other ended is a repeat.",
    )
    min_gap_s: Seconds = Field(
        DEFAULT_RULES.fcr.min_gap_ms / 1000,
        description="A contact that begins sooner after another began is that one forwarded, and no "
        "repeat of it.",
    )

    @model_validator(mode="after")
    def windows_fit(self) -> "FcrSettings":
        """The default window is one of the windows, and each is there once."""
        if len(set(self.windows_days)) < len(self.windows_days):
            raise ValueError("windows_days has a length twice; name each once")
        if self.default_days not in self.windows_days:
            raise ValueError(f"default_days = {self.default_days} is none of windows_days; add it there")
        return self


class RuleChange(Table):
    """Limits from a date on; what is not named stays as it was before."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    from_: date = Field(
        alias="from",
        description="The day from which they count, in the reporting time zone: what entered its queue "
        "since it began.",
    )
    service_level_s: dict[str, Seconds] = Field({}, description="T of these channels.")
    service_level_default_s: Seconds | None = Field(None, description="T of any other channel.")
    service_level_by_queue_s: dict[str, Seconds] = Field({}, description="T of these queues.")
    short_abandon_s: Seconds | None = Field(None, description="Abandoned as soon as this.")
    fcr_default_days: Days | None = Field(
        None, description="The window of repeat contacts of KPIs whose id names none, of what is booked then."
    )


class RuleSettings(Table):
    """Thresholds of the KPIs (kpis/rules.py). Channels that are not named keep their default target."""

    service_level_s: dict[str, Seconds] = Field(
        {}, description="T by channel: answered within it. A channel that is not named keeps its default."
    )
    service_level_default_s: Seconds = Field(
        DEFAULT_RULES.service_level_default_ms / 1000, description="T of any other channel."
    )
    service_level_by_queue_s: dict[str, Seconds] = Field(
        {}, description="T of a queue, whatever the channel: `{billing = 30}`."
    )
    short_abandon_s: Seconds = Field(
        DEFAULT_RULES.short_abandon_ms / 1000,
        description="Abandoned as soon as this: too soon for any agent.",
    )
    skew_tolerance_s: Seconds = Field(
        DEFAULT_RULES.skew_tolerance_ms / 1000,
        description="How far the clocks of one source may be apart.",
    )
    future_tolerance_s: Seconds = Field(
        DEFAULT_RULES.future_tolerance_ms / 1000,
        description="How far after the moment asked for an event may be before its contact is flagged "
        "`FUTURE`.",
    )
    async_channels: tuple[str, ...] = Field(
        DEFAULT_RULES.async_channels, description="Channels on which nobody waits on the line."
    )
    stale_after_h: Hours = Field(
        DEFAULT_RULES.stale_ms / HOUR_MS,
        description="A contact silent for so long has lost its end: it neither waits nor talks.",
    )
    stale_after_async_h: Hours = Field(
        DEFAULT_RULES.stale_async_ms / HOUR_MS,
        description="The same on channels where nobody waits on the line.",
    )
    survey_late_h: Hours = Field(
        DEFAULT_RULES.survey_late_ms / HOUR_MS,
        description="Answers that come later after the contact's end count nowhere.",
    )
    agent_state_max_h: Hours = Field(
        DEFAULT_RULES.agent_state_max_ms / HOUR_MS,
        description="An agent's state that lasts longer has lost its end.",
    )
    acw_stale_s: Seconds = Field(
        DEFAULT_RULES.acw_stale_ms / 1000,
        description="After-contact work of unknown length ends for the live KPIs after this.",
    )
    fcr: FcrSettings = Field(FcrSettings(), description="How repeat contacts are judged: the table below.")
    calendars: dict[str, CalendarSettings] = Field(
        {}, description="Business hours by a name of your choice: the tables below."
    )
    calendar_by_queue: dict[str, str] = Field(
        {}, description='The calendar of a queue: `{billing = "office"}`.'
    )
    calendar_default: str = Field(
        "", description='The calendar of any other queue; `""`: served at any time.'
    )

    changes: tuple[RuleChange, ...] = Field(
        (), description="Limits that count from a date on: the tables below, each with the date `from`."
    )

    @model_validator(mode="after")
    def changes_fit(self) -> "RuleSettings":
        """Of two changes on one date nobody could say which counts; windows are some that are tallied."""
        dates = [change.from_ for change in self.changes]
        twice = next((day for day in dates if dates.count(day) > 1), None)
        if twice is not None:
            raise ValueError(f"changes: from = {twice} is there twice; put both into one table")
        windows = self.fcr.windows_days
        odd = [change.fcr_default_days for change in self.changes if change.fcr_default_days is not None]
        if missing := [days for days in odd if days not in windows]:
            raise ValueError(f"fcr_default_days = {missing[0]} is none of fcr.windows_days; add it there")
        return self

    @model_validator(mode="after")
    def calendars_exist(self) -> "RuleSettings":
        """A queue's calendar is one of those that are there."""
        named = {**self.calendar_by_queue, **({"": self.calendar_default} if self.calendar_default else {})}
        for queue, name in named.items():
            if name not in self.calendars:
                where = f"calendar_by_queue.{queue}" if queue else "calendar_default"
                there = ", ".join(self.calendars) or "none"
                raise ValueError(f"{where}: no calendar {name!r}; there are: {there}")
        return self


def mistake(error: Any) -> str:
    """What is wrong in the rules, and where."""
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        inner: dict[str, type[BaseModel]] = {
            "fcr": FcrSettings,
            "calendars": CalendarSettings,
            "changes": RuleChange,
        }
        table = inner.get(where.partition(".")[0]) if "." in where else None
        known = (table or RuleSettings).model_fields
        return f"{where}: no such rule; there are {', '.join(known)}"
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}: {said}" if where else said
