"""What an administrator says of his sources that they do not say themselves.

A process is told once, at its start, by its settings (cli/source_settings.py); else the defaults hold. It is
not handed from function to function, since a payload's fields are read far below where settings are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """`survey_questions`: a question's id or name to what it measures. `agent_aliases`: another spelling of
    an agent to the name that counts. `call_records` is a layout of the user's own, `call_records_zone` the
    zone of such files, `queue_log_zone` that of Asterisk's table of queue_log, None where nobody said it.
    """

    survey_questions: Mapping[str, str] = field(default_factory=dict)
    agent_aliases: Mapping[str, str] = field(default_factory=dict)
    call_records: Path | None = None
    call_records_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    queue_log_zone: ZoneInfo | None = None


_told = SourceOptions()


def options() -> SourceOptions:
    """What this process was told."""
    return _told


def use(given: SourceOptions) -> None:
    """Tell this process, before it reads anything of a source."""
    global _told
    _told = given
