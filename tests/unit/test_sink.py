"""The sink before a ClickHouse that cannot, and one that will not."""

from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError, ProgrammingError
from structlog.testing import capture_logs
from support.builders import make_quarter

from schemas import topics
from schemas.codec import encode
from schemas.events import AgentStateChanged, ContactQueued, SourceHeartbeat
from schemas.shape import shape
from schemas.topics import SINK_TOPICS
from sinks import writer as clickhouse
from sinks.buffer import SEEN_FIRST, SEEN_LAST, Buffer, turn
from sinks.connection import without_secret
from sinks.rows import COLUMNS
from sinks.writer import ClickHouseSink, SinkRefused, passes
from streams.health.sparing import SparingLog
from streams.kafka.decoding import decode_single_object
from streams.kafka.topics import topic_specs

URL = "http://ringback:secret@db:8123/ringback"
FULL = "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)\nmore"
NO_TABLE = "Code: 60. DB::Exception: Table ringback.events does not exist. (UNKNOWN_TABLE)"
LETTERS = [[0, number, "f.txt", number, "bad_date", "", b"", 0] for number in range(3)]


class Client:
    """A ClickHouse that fails some times before it stores."""

    def __init__(self, *errors: Exception, written: int | None = None) -> None:
        self.errors = list(errors)
        self.stored: dict[str, list[Any]] = {}
        self.asked: list[str] = []
        self.written = written

    def create_insert_context(self, table: str, column_names: tuple[str, ...]) -> str:
        assert column_names == COLUMNS[table]
        self.asked.append(table)
        return table

    def insert(self, data: list[Any], context: str) -> SimpleNamespace:
        if self.errors:
            raise self.errors.pop(0)
        self.stored.setdefault(context, []).extend(data)
        return SimpleNamespace(written_rows=len(data) if self.written is None else self.written)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clickhouse, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(clickhouse, "LONGEST_WAIT_S", 0.002)


def sink_on(client: Client, monkeypatch: pytest.MonkeyPatch) -> ClickHouseSink:
    monkeypatch.setattr(clickhouse, "connect", lambda url: client)
    return ClickHouseSink(URL)


def test_a_full_disk_is_waited_for_and_everything_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(*(DatabaseError(FULL, code=243) for _ in range(4)))
    with capture_logs() as logs:
        written = sink_on(client, monkeypatch).insert({"dead_letters": LETTERS, "events": []})
    assert written == 3
    assert client.stored == {"dead_letters": LETTERS}
    said = [line for line in logs if line["event"] in ("waiting for ClickHouse", "ClickHouse answers")]
    assert [line["event"] for line in said] == ["waiting for ClickHouse", "ClickHouse answers"]  # once each
    assert said[0]["what"] == "dead_letters"
    assert "not enough space" in said[0]["error"]
    assert "secret" not in str(logs)


def test_each_reason_to_wait_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """ClickHouse was away, and is full when it comes back: who reads the log must not look for the first."""
    away, full = OperationalError("connection refused"), DatabaseError(FULL, code=243)
    with capture_logs() as logs:
        sink_on(Client(away, away, full, full, away, full), monkeypatch).insert({"dead_letters": LETTERS})
    said = [line["error"][:10] for line in logs if line["event"] == "waiting for ClickHouse"]
    assert said == ["connection", "Code: 243."]


def test_tables_that_were_written_are_not_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    plain = client.insert

    def fails_on_the_second(data: list[Any], context: str) -> SimpleNamespace:
        if context == "events" and "failed" not in client.stored:
            client.stored["failed"] = []
            raise DatabaseError(FULL, code=243)
        return plain(data, context)

    monkeypatch.setattr(client, "insert", fails_on_the_second)
    event = [None] * len(COLUMNS["events"])
    sink_on(client, monkeypatch).insert({"dead_letters": LETTERS, "events": [event]})
    assert client.stored == {"dead_letters": LETTERS, "failed": [], "events": [event]}


def test_columns_are_asked_for_once_and_again_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    sink = sink_on(client, monkeypatch)
    for _ in range(3):
        sink.insert({"dead_letters": LETTERS})
    assert client.asked == ["dead_letters"]
    client.errors.append(DatabaseError(FULL, code=243))
    sink.insert({"dead_letters": LETTERS})
    assert client.asked == ["dead_letters", "dead_letters"]
    assert client.stored == {"dead_letters": LETTERS * 4}


def test_what_does_not_pass_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(DatabaseError(NO_TABLE, code=60))
    with pytest.raises(SinkRefused, match=r"^ClickHouse refuses dead_letters: .*does not exist"):
        sink_on(client, monkeypatch).insert({"dead_letters": LETTERS})
    assert client.stored == {}


@pytest.mark.parametrize(
    ("error", "do"),
    [
        (DatabaseError("Code: 516. DB::Exception: Authentication failed", code=516), "Put the right user"),
        (DatabaseError("Code: 497. DB::Exception: Not enough privileges", code=497), "Grant the user in"),
        (ProgrammingError("Setting async_insert is readonly"), "The user in CLICKHOUSE_URL may only read"),
        (DatabaseError(NO_TABLE, code=60), "Mend this"),
    ],
)
def test_a_refusal_says_what_to_do(monkeypatch: pytest.MonkeyPatch, error: Exception, do: str) -> None:
    with pytest.raises(SinkRefused, match=rf"\. {do}.*, and start the sink again; nothing is lost$"):
        sink_on(Client(error), monkeypatch).insert({"dead_letters": LETTERS})


def test_rows_that_clickhouse_lost_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SinkRefused, match="sent 3 rows, ClickHouse stored 2"):
        sink_on(Client(written=2), monkeypatch).insert({"dead_letters": LETTERS})


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError("refused"), True),
        (OperationalError("connection reset"), True),
        (DatabaseError("no code"), False),
        (DatabaseError("memory", code=241), True),
        (DatabaseError("too many parts", code=252), True),
        (DatabaseError("keeper", code=999), True),
        (OperationalError("syntax", code=62), False),
        (DatabaseError("access denied", code=497), False),
        (ValueError("ours"), False),
    ],
)
def test_which_errors_pass(error: Exception, expected: bool) -> None:
    assert passes(error) is expected


def test_an_address_in_a_log_has_no_password() -> None:
    assert without_secret(URL) == "http://db:8123/ringback"
    assert without_secret("http://db/ringback") == "http://db/ringback"


AT = 1_767_600_000_000
QUEUED = ContactQueued(event_id="q", contact_id="c", occurred_at=AT, source="test", queue="A")
STATE = AgentStateChanged(event_id="s", agent="ann", state="busy", occurred_at=AT, source="test")
BEAT = SourceHeartbeat(event_id="h", source="pbx", occurred_at=AT)


def buffered(*records: tuple[str, bytes, bytes | None]) -> dict[str, list[dict[str, Any]]]:
    """Rows of records (topic, key, value), by table and column."""
    buffer = Buffer(decode_single_object)
    for offset, (topic, key, value) in enumerate(records):
        buffer.add(
            SimpleNamespace(topic=topic, partition=0, offset=offset, timestamp=AT, key=key, value=value)
        )  # type: ignore[arg-type]
    return {
        table: [dict(zip(COLUMNS[table], row, strict=True)) for row in rows]
        for table, rows in buffer.rows().items()
    }


def test_raw_events_go_to_the_table_of_their_topic() -> None:
    rows = buffered(
        (topics.CONTACT_EVENTS, b"c", encode(QUEUED)),
        (topics.AGENT_EVENTS, b"ann", encode(STATE)),
        (topics.SOURCE_HEARTBEATS, b"pbx", encode(BEAT)),
    )
    assert {table: len(found) for table, found in rows.items()} == {
        "events": 1,
        "agent_events": 1,
        "heartbeats": 1,
        "arrivals": 1,
    }
    assert rows["arrivals"][0] == {
        "partition": 0,
        "offset": 0,
        "contact_id": "c",
        "event_id": "q",
        "type": "contact_queued",
        "occurred_at": AT,
        "arrived_at": AT,
    }
    assert rows["agent_events"][0]["canonical"] == encode(STATE)
    assert rows["heartbeats"] == [{"source": "pbx", "occurred_at": AT, "told_at": AT}]


def test_what_people_look_at_is_written_first() -> None:
    """And the log of publications after the windows that it tells of."""
    rows = buffered(
        (topics.CONTACT_EVENTS, b"c", encode(QUEUED)),
        (topics.SOURCE_HEARTBEATS, b"pbx", encode(BEAT)),
        (topics.KPI_WINDOWS, b"w", good_window()),
    )
    assert [*rows] == ["kpi_windows", "heartbeats", "events", "arrivals", "published_windows"]
    assert min(COLUMNS, key=turn) == "legs"
    assert {*SEEN_FIRST, *SEEN_LAST} <= {*COLUMNS}


def test_raw_events_that_the_worker_refuses_are_no_rows() -> None:
    """They come back as dead letters, or (heartbeats) are told of in the log."""
    with capture_logs() as logs:
        rows = buffered(
            (topics.CONTACT_EVENTS, b"x", encode(QUEUED)),
            (topics.CONTACT_EVENTS, b"ann", encode(STATE)),
            (topics.AGENT_EVENTS, b"bob", encode(STATE)),
            (topics.AGENT_EVENTS, b"c", encode(QUEUED)),
            (topics.AGENT_EVENTS, b"pbx", encode(BEAT)),
            (topics.AGENT_EVENTS, b"ann", None),
            (topics.SOURCE_HEARTBEATS, b"pbx", b"rubbish"),
        )
    assert rows == {}
    assert [line["event"] for line in logs] == ["a heartbeat is unreadable"]


def window(version: int, days: dict[str, dict[str, int]]) -> tuple[str, bytes, bytes]:
    document = {"window_start": AT, "channel": "voice", "queue": "A", "partition": 2, "version": version}
    return topics.FCR_WINDOWS, b"key", orjson.dumps(document | {"days": days})


def test_a_window_is_a_row_for_each_number_of_days_and_only_the_latest() -> None:
    rows = buffered(window(7, {"1": {}, "30": {"anchors": 3}}), window(6, {"1": {"anchors": 9}}))[
        "fcr_windows"
    ]
    assert [(row["days"], row["anchors"], row["version"]) for row in rows] == [(1, 0, 7), (30, 3, 7)]


def test_what_is_gone_is_a_deleted_row() -> None:
    quarter = make_quarter(busy_ms=1, session_ms=2, logged_ms=3, idle_ms=4, logged_busy_ms=5, sessions=6)
    told = {"agent": "ann", "window_start": AT, "version": 1}
    fact = {"customer_key": "x", "contact_id": "c", "version": 1, "fact": None}
    rows = buffered(
        (topics.AGENT_QUARTERS, b"1", orjson.dumps(told | {"quarter": quarter})),
        (topics.AGENT_QUARTERS, b"2", orjson.dumps(told | {"quarter": None})),
        (topics.FCR_FACTS, b"3", orjson.dumps(fact)),
    )
    assert [(row["agent"], row["busy_ms"], row["is_deleted"]) for row in rows["agent_quarters"]] == [
        ("ann", 1, 0),
        ("ann", 0, 1),
    ]
    assert [(row["customer_key"], row["contact_id"], row["is_deleted"]) for row in rows["fcr"]] == [
        ("x", "c", 1)
    ]


def good_window(**more: object) -> bytes:
    fields = {"window_start": AT, "channel": "voice", "queue": "A", "partition": 2, "version": 7}
    return orjson.dumps(fields | {"measures": {"offered": 3}} | more)


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        *(
            (topic, value)
            for topic in SINK_TOPICS[3:]
            for value in (b"garbage", b"{}", b"[1]", b"5", b"\xff")
        ),
        (topics.KPI_WINDOWS, good_window(version=9).replace(b'"version":9', b'"version":9' + b"9" * 19)),
        (topics.KPI_WINDOWS, good_window(version=9, measures={"offered": "3"})),
        (topics.KPI_WINDOWS, good_window(version=9, measures={"offered": 2**63})),
        (topics.KPI_WINDOWS, good_window(version=9, queue=None)),
        (topics.KPI_WINDOWS, good_window(version=-1)),
        (topics.KPI_WINDOWS, good_window(version="9")),
        (topics.FCR_WINDOWS, window(9, {"x": {}})[2]),
        (
            topics.AGENT_QUARTERS,
            orjson.dumps({"agent": "a", "window_start": AT, "version": 1, "quarter": {}}),
        ),
    ],
)
def test_a_record_that_is_not_ours_is_a_dead_letter_and_in_nobody_s_way(topic: str, value: bytes) -> None:
    with capture_logs() as logs:
        rows = buffered((topics.KPI_WINDOWS, b"key", good_window()), (topic, b"key", value))
    (letter,) = rows["dead_letters"]
    assert (letter["origin"], letter["reason"], letter["payload"]) == (f"{topic}[0]", "alien", shape(value))
    assert [row["offered"] for row in rows["kpi_windows"]] == [3]
    assert rows.keys() == {"kpi_windows", "published_windows", "dead_letters"}
    assert [line["origin"] for line in logs] == [f"{topic}[0]"]


def test_very_many_of_them_are_one_line_a_second() -> None:
    now = 0.0
    said = SparingLog(lambda: now)
    with capture_logs() as logs:
        for _ in range(1_000):
            said.warning("dead letter")
        now = 1.5
        said.warning("dead letter")
    assert [line.get("more_before") for line in logs] == [None, 999]


def test_every_topic_that_the_sink_reads_exists() -> None:
    assert set(SINK_TOPICS) <= {spec.name for spec in topic_specs(4)}
