"""queue_log as a table (realtime), exported as CSV in the order of its ids.

Its times are local ones without a zone, unless queue_log_realtime_use_gmt is set, so the zone must be said:
RINGBACK_QUEUE_LOG_ZONE. In the hour that a clock shows twice, the second that a call's id begins with and the
order of the rows tell which of the two is meant.
"""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from adapters.app_queue.facts import NONE, SECOND_MS, Fact
from adapters.asterisk.lines import NAME_MAX, parameters
from adapters.kit.csv_cells import line_cells
from adapters.kit.options import options
from adapters.kit.outcomes import InvalidInput, WrongFile
from adapters.kit.payload_fields import EPOCH, MILLISECOND
from schemas.event_fields import OCCURRED_AT_MAX, OCCURRED_AT_MIN

COLUMNS = ("time", "callid", "queuename", "agent", "event")
DATA = ("data1", "data2", "data3", "data4", "data5")
UNIQUE = re.compile(r"(?:.*-)?(\d{9,10})\.\d+", re.ASCII)
AWAY_MS = 2 * SECOND_MS  # MySQL rounds, and a row may be written late


def cells_of(data: bytes) -> list[str]:
    """The cells of a line of CSV. Raises InvalidInput."""
    return [cell.strip() for cell in line_cells(data.decode("utf-8", "replace"))]


def header_of(data: bytes) -> list[str]:
    """The names of the columns, if a first line is the header of such a table; else none."""
    try:
        names = [name.lower() for name in cells_of(data)]
    except InvalidInput:
        return []
    return names if {*COLUMNS} <= {*names} else []


def zone() -> ZoneInfo:
    """The zone of the table's times. Raises WrongFile where it is not said."""
    said = options().queue_log_zone
    if said is None:
        raise WrongFile(
            "times of the table queue_log have no zone; set RINGBACK_QUEUE_LOG_ZONE: UTC if "
            "queue_log_realtime_use_gmt is yes in logger.conf, else that of Asterisk's machine, such as "
            "Europe/Berlin"
        )
    return said


class Table:
    """Rows of a table, one after the other; `last_ms` is the latest time so far."""

    def __init__(self, names: list[str], last_ms: int = 0) -> None:
        self._names, self._zone, self.last_ms = names, zone(), last_ms

    def parse(self, data: bytes) -> Fact:
        """What a row of CSV says. Raises InvalidInput."""
        return self.fact(cells_of(data))

    def fact(self, cells: list[str]) -> Fact:
        """What a row says. Raises InvalidInput."""
        if len(cells) != len(self._names):
            raise InvalidInput("wrong_columns", f"{len(cells)} columns, expected {len(self._names)}")
        row = dict(zip(self._names, cells, strict=True))
        call, event, queue, member = (row[name] for name in ("callid", "event", "queuename", "agent"))
        if not event or not call:
            raise InvalidInput("no_event", "the call id or the event is empty")
        if max(map(len, (call, queue, member))) > NAME_MAX:
            raise InvalidInput("too_long", f"call id, queue or member has more than {NAME_MAX} characters")
        at_ms = self._time(row["time"], call)
        self.last_ms = max(self.last_ms, at_ms)
        given = [row.get(name, "") for name in DATA]
        text = "|".join(given).rstrip("|") or row.get("data", "")
        told = parameters(event, text.split("|") if text else [])
        return Fact(
            at_ms, call, "" if queue == NONE else queue, "" if member == NONE else member, event, told
        )

    def _time(self, text: str, call: str) -> int:
        """A time in UTC milliseconds. Raises InvalidInput."""
        try:
            local = datetime.fromisoformat(text)
            zoned = [local.replace(tzinfo=local.tzinfo or self._zone, fold=fold) for fold in (0, 1)]
            both = {each.astimezone(UTC) for each in zoned}
        except (ValueError, OverflowError):
            raise InvalidInput("bad_time", "time is no YYYY-MM-DD HH:MM:SS") from None
        times = sorted((each - EPOCH) // MILLISECOND for each in both)
        if not OCCURRED_AT_MIN <= times[0] < OCCURRED_AT_MAX:
            raise InvalidInput("bad_time", "time is outside 1990 to 2100")
        unique = UNIQUE.fullmatch(call)
        begun_ms = int(unique[1]) * SECOND_MS if unique else 0
        earliest = max(begun_ms, self.last_ms) - AWAY_MS
        return next((at for at in times if at >= earliest), times[-1])
