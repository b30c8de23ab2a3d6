"""The sink before a ClickHouse that cannot, and one that will not."""

from types import SimpleNamespace
from typing import Any

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from structlog.testing import capture_logs

from sinks import clickhouse
from sinks.clickhouse import ClickHouseSink, SinkRefused, passes, without_secret
from sinks.rows import COLUMNS

URL = "http://ringback:secret@db:8123/ringback"
FULL = "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)\nmore"
NO_TABLE = "Code: 60. DB::Exception: Table ringback.events does not exist. (UNKNOWN_TABLE)"
LETTERS = [[0, number, "f.txt", number, "bad_date", "", b"", 0] for number in range(3)]


class Client:
    """A ClickHouse that fails some times before it stores."""

    def __init__(self, *errors: Exception, written: int | None = None) -> None:
        self.errors = list(errors)
        self.stored: dict[str, list[Any]] = {}
        self.written = written

    def insert(self, table: str, rows: list[Any], column_names: tuple[str, ...]) -> SimpleNamespace:
        if self.errors:
            raise self.errors.pop(0)
        assert column_names == COLUMNS[table]
        self.stored.setdefault(table, []).extend(rows)
        return SimpleNamespace(written_rows=len(rows) if self.written is None else self.written)


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


def test_tables_that_were_written_are_not_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    plain = client.insert

    def fails_on_the_second(table: str, rows: list[Any], column_names: tuple[str, ...]) -> SimpleNamespace:
        if table == "events" and "failed" not in client.stored:
            client.stored["failed"] = []
            raise DatabaseError(FULL, code=243)
        return plain(table, rows, column_names)

    monkeypatch.setattr(client, "insert", fails_on_the_second)
    event = [None] * len(COLUMNS["events"])
    sink_on(client, monkeypatch).insert({"dead_letters": LETTERS, "events": [event]})
    assert client.stored == {"dead_letters": LETTERS, "failed": [], "events": [event]}


def test_what_does_not_pass_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(DatabaseError(NO_TABLE, code=60))
    with pytest.raises(SinkRefused, match=r"^ClickHouse refuses dead_letters: .*does not exist"):
        sink_on(client, monkeypatch).insert({"dead_letters": LETTERS})
    assert client.stored == {}


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
