"""queue_log as a table, over the hour that a clock shows twice; and agents under several names."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.samples import FOLDER, SECRET

from adapters.asterisk.table import Table
from adapters.kit.check import read_stored
from adapters.kit.contract import events_of
from adapters.kit.options import SourceOptions, use
from adapters.kit.outcomes import InvalidInput, WrongFile
from adapters.registry import source_of
from schemas.events import AgentStateChanged, Event

pytestmark = pytest.mark.usefixtures("source_options")
TABLE = Path(__file__).parents[1] / "data" / "bodies" / "asterisk-queuelog-10.csv"
ENTERED_MS = 1_792_888_200_000  # 2026-10-25 00:30:00 UTC, as the call's id has it


def events(path: Path) -> list[Event]:
    return [*events_of(read_stored(source_of("asterisk"), path, SECRET).outcomes)]


def test_the_hour_that_comes_twice() -> None:
    use(SourceOptions(queue_log_zone=ZoneInfo("Europe/Berlin")))
    told = {(event.type, event.occurred_at - ENTERED_MS) for event in events(TABLE)}
    first = {("contact_queued", 0), ("contact_answered", 12_000), ("contact_resolved", 2_412_000)}
    second = {("contact_queued", 4_501_000), ("contact_abandoned", 4_501_000)}
    assert told >= first | second


def test_a_table_without_a_zone_is_refused() -> None:
    use(SourceOptions())
    with pytest.raises(WrongFile, match="set RINGBACK_QUEUE_LOG_ZONE: UTC if"):
        events(TABLE)


NAMES = ["time", "callid", "queuename", "agent", "event", "data1", "data2", "data3", "data4", "data5", "data"]


@pytest.mark.parametrize(
    ("row", "params"),
    [
        (
            "2026-01-05 08:00:00,1.1,q,Ada,ATTENDEDTRANSFER,LINK,a,b,7,60|1,",
            ("LINK", "a", "b", "7", "60", "1"),
        ),
        ("2026-01-05 08:00:00.123456,1.1,q,Ada,CONNECT,,,,,,12|3.4|6", ("12", "3.4", "6")),
        ("2026-01-05 08:00:00,1.1,q,Ada,PAUSE,,,,,,", ()),
    ],
)
def test_both_forms_of_data(row: str, params: tuple[str, ...]) -> None:
    use(SourceOptions(queue_log_zone=ZoneInfo("UTC")))
    assert Table(NAMES).parse(row.encode()).params == params


@pytest.mark.parametrize(
    "row", [b"soon,1.1,q,a,CONNECT,,,,,,", b"a,b", b'"', b"0001-01-01 00:00:00,1.1,q,a,X,,,,,,"]
)
def test_what_is_no_row_is_refused(row: bytes) -> None:
    use(SourceOptions(queue_log_zone=ZoneInfo("Europe/Berlin")))
    with pytest.raises(InvalidInput):
        Table(NAMES).parse(row)


def test_an_agent_under_several_names() -> None:
    use(SourceOptions(agent_aliases={"PJSIP/201": "Ada Example"}))
    told = events(FOLDER / "asterisk" / "asterisk-queuelog-15.log")
    assert {event.agent for event in told if isinstance(event, AgentStateChanged)} == {"Ada Example"}
