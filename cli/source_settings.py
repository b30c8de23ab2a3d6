"""Settings of sources, beside all others: what their systems do not say. Secrets are read elsewhere."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from adapters.kit.options import SourceOptions
from adapters.kit.surveys import SCALES
from cli.business_hours import known_zone
from cli.settings import Settings

Pairs = Annotated[dict[str, str], NoDecode]


def pairs(text: str) -> dict[str, str]:
    """`name=value,name=value` of the environment. Raises ValueError with the part that is no pair."""
    found = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, value = (each.strip() for each in part.partition("="))
        if not name or not value:
            raise ValueError(f"{part!r} is no pair; write name=value, several with commas")
        found[name] = value
    return found


class SourceSettings(Settings):
    """Every setting, those of sources included."""

    survey_questions: Pairs = Field(
        {},
        validation_alias="RINGBACK_SURVEY_QUESTIONS",
        description="What questions of surveys measure whose ids do not say it: "
        '`{q2 = "csat", QID7 = "nps"}`, in the environment `q2=csat,QID7=nps`. '
        f"Kinds are {', '.join(SCALES)}.",
    )
    agent_aliases: Pairs = Field(
        {},
        validation_alias="RINGBACK_AGENT_ALIASES",
        description="Other spellings of Asterisk's agents, extensions and interfaces to the name that "
        'counts: `{"PJSIP/201" = "Ada Example"}`, in the environment `PJSIP/201=Ada,201=Ada`. '
        "See [Asterisk](../sources/asterisk.md#one-agent-under-several-names).",
    )
    call_records: Path | None = Field(
        None,
        validation_alias="RINGBACK_CALL_RECORDS",
        description="File with a layout of your own of "
        "[call records](../sources/call_records.md#a-layout-of-yours). None: those that ship.",
    )
    call_records_zone: str = Field(
        "UTC",
        validation_alias="RINGBACK_CALL_RECORDS_ZONE",
        description="Time zone of files of call records, which they do not say.",
    )
    queue_log_zone: str | None = Field(
        None,
        validation_alias="RINGBACK_QUEUE_LOG_ZONE",
        description="Time zone of Asterisk's queue_log as a table: `UTC` if `queue_log_realtime_use_gmt` is "
        "yes, else that of Asterisk's machine. None: such a table is refused.",
    )

    @field_validator("survey_questions", "agent_aliases", mode="before")
    @classmethod
    def readable_pairs(cls, value: Any) -> Any:
        """A table of the file, or pairs of the environment."""
        return pairs(value) if isinstance(value, str) else value

    @field_validator("survey_questions")
    @classmethod
    def usable_kinds(cls, value: Mapping[str, str]) -> dict[str, str]:
        """Kinds of questions that a KPI needs, in any letter case."""
        found = {name: kind.lower() for name, kind in value.items()}
        wrong = next((name for name, kind in found.items() if kind not in SCALES), None)
        if wrong is not None:
            raise ValueError(f"{wrong}={value[wrong]}: a question measures one of {', '.join(SCALES)}")
        return found

    @field_validator("call_records_zone", "queue_log_zone")
    @classmethod
    def usable_source_zone(cls, value: str | None) -> str | None:
        """A zone of the IANA database."""
        return known_zone(value) if value is not None else None

    @property
    def source_options(self) -> SourceOptions:
        """What sources are told."""
        return SourceOptions(
            self.survey_questions,
            self.agent_aliases,
            self.call_records,
            ZoneInfo(self.call_records_zone),
            None if self.queue_log_zone is None else ZoneInfo(self.queue_log_zone),
        )
