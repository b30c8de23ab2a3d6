"""What one line of queue_log says; AMI's events are brought into the same form.

This folder is no source: it is what the sources asterisk and asterisk_ami know of Asterisk's app_queue.
"""

from dataclasses import dataclass

NONE = "NONE"  # what Asterisk writes for "no call", "no queue" and "no member"
SECOND_MS = 1000


@dataclass(frozen=True, slots=True)
class Fact:
    """An event of a queue: `time_ms` UTC, `member` the agent's name as the log has it, "" for none."""

    time_ms: int
    call: str
    queue: str
    member: str
    event: str
    params: tuple[str, ...]

    def param(self, place: int) -> str:
        """The parameter at a place, from 0; "" where the line has none."""
        return self.params[place] if place < len(self.params) else ""

    def whole(self, place: int) -> int | None:
        """The same as a number that is not negative; None where it is none."""
        text = self.param(place).strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    def ms(self, place: int) -> int | None:
        """The same, seconds in the log, as milliseconds."""
        seconds = self.whole(place)
        return None if seconds is None else seconds * SECOND_MS


def decoded(data: bytes) -> str:
    """The text of a line. Names of old installations are Latin-1: a line is not lost for one letter."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
