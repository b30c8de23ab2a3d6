"""The real recording as a table of SQLite that is followed and killed: it tells what the files tell."""

import random
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from support.recorded_asterisk import BERLIN, SECRET, last_words, queue_log, table_rows

from adapters.asterisk.databases import DRIVERS
from adapters.asterisk.follow import Following
from adapters.asterisk.rows import FollowingRows, following
from adapters.kit.contract import refused_of
from adapters.kit.options import SourceOptions, use
from adapters.kit.outcomes import LineOutcome, WrongFile
from adapters.kit.source import load
from adapters.registry import source_of
from adapters.sending.following import Followed, follow_once
from schemas.dead_letter import DeadLetter
from schemas.events import Event

pytestmark = pytest.mark.usefixtures("source_options")
COLUMNS = "time, callid, queuename, agent, event, data1, data2, data3, data4, data5"
SCHEMA = f"CREATE TABLE queue_log (id INTEGER PRIMARY KEY, {COLUMNS})"


@pytest.fixture(autouse=True)
def zone(source_options: None) -> None:
    use(SourceOptions(queue_log_zone=BERLIN))


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    return table_rows()


def table(path: Path, rows: Iterable[list[str]] = ()) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    if not database.execute("PRAGMA table_info(queue_log)").fetchall():
        database.execute(SCHEMA)
    add(database, rows)
    return database


def add(database: sqlite3.Connection, rows: Iterable[list[str]]) -> None:
    with database:
        marks = ", ".join("?" * 10)
        database.executemany(f"INSERT INTO queue_log ({COLUMNS}) VALUES ({marks})", rows)


def read_killed(path: Path, kept: Path, writes: Iterator[int], rng: random.Random) -> list[LineOutcome]:
    """Poll while rows come; what is not kept when the reader is killed is read again."""
    safe: list[LineOutcome] = []
    reader = FollowingRows(path, kept, SECRET)
    for _ in writes:
        found = []
        for outcome in reader.poll():
            found.append(outcome)
            if rng.random() < 0.002:
                break
        safe += found  # sent, perhaps again after a kill
        if rng.random() < 0.7:
            reader.keep()
        if rng.random() < 0.3:
            reader.close()
            reader = FollowingRows(path, kept, SECRET)
    safe += reader.poll()
    reader.close()
    return safe


@pytest.mark.parametrize("seed", [1, 2])
def test_a_followed_table_tells_what_the_files_tell(tmp_path: Path, rows: list[list[str]], seed: int) -> None:
    rng, path = random.Random(seed), tmp_path / "queue log?.sqlite3"
    database = table(path)

    def writes() -> Iterator[int]:
        begin = 0
        while begin < len(rows):
            count = rng.randint(1, 400)
            add(database, rows[begin : begin + count])
            yield (begin := begin + count)

    told = read_killed(path, tmp_path / "kept.json", writes(), rng)
    expected = last_words(queue_log())
    assert len(expected) > 1_000
    assert refused_of(told) == []
    assert last_words(told) == expected
    database.close()


def test_a_table_that_is_emptied_or_pruned_is_read_on(tmp_path: Path, rows: list[list[str]]) -> None:
    path, kept = tmp_path / "log.db", tmp_path / "kept.json"
    database = table(path, rows[:50])
    reader = FollowingRows(path, kept, SECRET)
    assert len([*reader.poll()]) == 50
    with database:
        database.execute("DELETE FROM queue_log WHERE id <= 49")
    add(database, rows[50:60])
    assert len([*reader.poll()]) == 10  # the oldest ones are gone, as a nightly job does it
    with database:
        database.execute("DELETE FROM queue_log")
    add(database, rows[60:130])  # their ids begin at 1 again, and go further than before
    assert len([*reader.poll()]) == 70
    database.execute("BEGIN EXCLUSIVE")
    assert [*reader.poll()] == []
    database.execute("ROLLBACK")
    add(database, [["soon", *rows[0][1:]]])
    ((refused),) = refused_of(reader.poll())
    assert (refused.reason, refused.position) == ("bad_time", 71)
    database.execute("DROP TABLE queue_log")
    with pytest.raises(WrongFile, match=r"log\.db cannot be read as a database: no such table"):
        [*reader.poll()]
    database.close()


def test_rows_that_were_deleted_unread_are_a_dead_letter(tmp_path: Path, rows: list[list[str]]) -> None:
    """A nightly job that deletes all that is old, while nobody reads; what was read may go at any time."""
    path, kept = tmp_path / "log.db", tmp_path / "kept.json"
    database = table(path, rows[:50])
    reader = FollowingRows(path, kept, SECRET)
    assert len([*reader.poll()]) == 50
    reader.keep()
    reader.close()
    add(database, rows[50:70])
    with database:
        database.execute("DELETE FROM queue_log WHERE id <= 60")
    again = FollowingRows(path, kept, SECRET)
    lost, *told = again.poll()
    assert isinstance(lost, DeadLetter)
    assert (lost.origin, lost.reason, lost.position, len(told)) == ("asterisk", "lines_lost", 61, 10)
    assert "and 10 ids behind it" in lost.detail
    add(database, rows[70:71])
    with database:
        database.execute("DELETE FROM queue_log WHERE id <= 70")  # all of them were read
    assert len([*again.poll()]) == 1
    assert again.gaps == 1
    database.close()


class Kept:
    """Takes what a command would send."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def send(self, event: Event) -> None:
        self.events.append(event)

    async def flush(self) -> None:
        return


async def test_the_command_follows_it(tmp_path: Path, rows: list[list[str]]) -> None:
    path, kept = tmp_path / "log.db", tmp_path / "kept.json"
    table(path, rows[:1_500]).close()
    log = load(source_of("asterisk").follow)(path, kept, SECRET)
    sender, followed = Kept(), Followed()
    while await follow_once(log, sender, followed):  # type: ignore[arg-type]
        pass
    assert (followed.lines, followed.sent) == (1_500, len(sender.events))
    assert followed.sent > 500
    again = load(source_of("asterisk").follow)(path, kept, SECRET)
    assert not await follow_once(again, sender, followed)  # type: ignore[arg-type]


def test_which_reader_a_log_gets(tmp_path: Path) -> None:
    path, lines = tmp_path / "log.db", tmp_path / "queue_log"
    table(path).close()
    lines.write_bytes(b"1767600000|NONE|NONE|NONE|QUEUESTART|\n")
    kept = tmp_path / "kept.json"
    assert isinstance(following(path, kept, SECRET), FollowingRows)
    assert isinstance(following(lines, kept, SECRET), Following)
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE queue_log (id INTEGER PRIMARY KEY, time)")
    other.close()
    with pytest.raises(WrongFile, match="has no table queue_log with the columns time, callid"):
        following(tmp_path / "other.db", kept, SECRET)
    use(SourceOptions())
    with pytest.raises(WrongFile, match="RINGBACK_QUEUE_LOG_ZONE"):
        following(path, kept, SECRET)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("oracle://u:secret-word@h/d", "oracle:// is no database that is known; those are postgresql"),
        ("mysql://u:secret-word@[::1/d", "no address of a database, such as postgresql://user"),
        ("mysql://u:secret-word#1@h/d", "no address of a database, such as postgresql://user"),
    ],
)
def test_addresses_that_are_none(tmp_path: Path, address: str, said: str) -> None:
    with pytest.raises(WrongFile, match=said) as caught:
        following(address, tmp_path / "kept.json", SECRET)
    assert "secret-word" not in str(caught.value)


def test_a_driver_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DRIVERS, "postgresql", ("no_such_driver", "postgres"))
    with pytest.raises(WrongFile, match=r"needs a driver: pip install 'ringback\[postgres\]'"):
        following("postgresql://h/d", tmp_path / "kept.json", SECRET)


def test_lines_that_are_lost_are_a_dead_letter(tmp_path: Path) -> None:
    path, kept = tmp_path / "queue_log", tmp_path / "kept.json"
    path.write_bytes(b"1767600000|NONE|NONE|NONE|QUEUESTART|\n")
    reader = Following(path, kept, SECRET)
    assert refused_of(reader.poll()) == []
    reader.keep()
    reader.close()
    path.unlink()
    path.write_bytes(b"1767700000|NONE|NONE|NONE|QUEUESTART|\n")
    again = Following(path, kept, SECRET)
    (lost,) = refused_of(again.poll())
    assert (lost.origin, lost.reason, lost.position) == ("asterisk", "lines_lost", 2)
    assert lost.detail.startswith("queue_log: lines before this one are lost")
    assert again.gaps == 1
    assert refused_of(again.poll()) == []
