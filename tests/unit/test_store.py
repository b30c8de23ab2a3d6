"""Both stores against a plain dictionary, and what the one on disk does with what it finds there."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import faust
import pytest
from faust import stores
from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from streams.engine.tables import FAUST_STORE, FaustStore
from streams.kafka.writer import joined
from streams.state import disk
from streams.state.disk import DiskPartition
from streams.state.memory import MemoryPartition, in_memory
from streams.state.partition import TablePartition, TablePartitions
from streams.state.table import StateStoreError

IDENTITY = "cluster ringback-t-changelog 0"
KEYS = st.sampled_from([b'["a","1"]', b'["a","2"]', b'["a"]', b'["ab","1"]', b"k", b"\xff0", b"\xc3\xa9"])
OPERATIONS = st.one_of(
    st.tuples(st.just("put"), st.lists(st.tuples(KEYS, st.binary(max_size=3)), max_size=4), st.booleans()),
    st.tuples(st.just("recover"), st.lists(st.dictionaries(KEYS, st.none() | st.binary(max_size=3)))),
    st.tuples(st.just("reopen")),
    st.tuples(st.just("drop")),
)


def opened(folder: Path, identity: str = IDENTITY) -> DiskPartition:
    return DiskPartition(folder / "t-0", identity)


def check(store: TablePartition, right: dict[bytes, bytes]) -> None:
    assert dict(store.items()) == right
    assert {key: store.get(key) for key in right} == right
    assert store.get(b"never") is None
    for prefix in (b'["a",', b'["a', b"\xff", b"never"):
        assert dict(store.items(prefix)) == {k: v for k, v in right.items() if k.startswith(prefix)}


def run(
    store: TablePartition, operations: list[tuple], reopened: Callable[[TablePartition], TablePartition]
) -> None:
    """The same operations on a store and on a dictionary; `following` is kept as the store must keep it."""
    right: dict[bytes, bytes] = {}
    following = end = 0
    for name, *values in operations:
        if name == "put":
            items, foreign = values
            first, end = end + foreign, end + foreign + len(items)  # reminders of the fence are in between
            following = end
            store.put(items, (first, end))
            right.update(items)
        elif name == "recover":
            end = following = end + 5
            store.recover(values[0], following)
            for fetched in values[0]:
                right.update(fetched)
                right = {key: value for key, value in right.items() if value is not None}
        elif name == "drop":
            store.drop()
            right, following, end = {}, 0, 0
        else:
            store = reopened(store)
        check(store, right)
        if isinstance(store, DiskPartition):
            assert store.following == following
        else:
            assert store.records == len(right)
            assert store.size == sum(len(key) + len(value) for key, value in right.items())
    store.close()


@given(st.lists(OPERATIONS, max_size=12))
def test_memory_is_a_dictionary(operations: list[tuple]) -> None:
    run(MemoryPartition(), operations, lambda store: store)


@settings(max_examples=25, deadline=None)
@given(st.lists(OPERATIONS, max_size=8))
def test_disk_is_a_dictionary_that_stays(operations: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as folder:

        def reopened(store: TablePartition) -> TablePartition:
            store.close()
            return opened(Path(folder))

        run(opened(Path(folder)), operations, reopened)


def test_no_value_is_there_without_its_offset(tmp_path: Path) -> None:
    """Of a process that was killed: all it had written up to an offset, none beyond, and no lock."""
    program = (
        "import sys; from pathlib import Path; from streams.state.disk import DiskPartition\n"
        f"store = DiskPartition(Path(sys.argv[1]) / 't-0', {IDENTITY!r})\n"
        "for n in range(10**9):\n"
        "    store.put([(b'%d.%d' % (n, part), b'x' * 100) for part in range(50)], (50 * n, 50 * n + 50))\n"
        "    n == 40 and print('far', flush=True)\n"
    )
    writing = subprocess.Popen([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True)
    assert writing.stdout is not None
    assert writing.stdout.readline() == "far\n"
    writing.send_signal(signal.SIGKILL)
    writing.wait()
    writing.stdout.close()
    with capture_logs() as logs:
        store = opened(tmp_path)
    assert logs == []
    assert store.following >= 50 * 40
    expected = {b"%d.%d" % divmod(offset, 50) for offset in range(store.following)}
    assert {key for key, _ in store.items()} == expected
    store.close()


def test_another_process_has_it(tmp_path: Path) -> None:
    """One that hangs, say: its successor begins anew beside it, and the next one finds the first again."""
    first = opened(tmp_path)
    first.recover([{b"a": b"1"}], 7)
    with capture_logs() as logs:
        second = opened(tmp_path)
    assert [line["event"] for line in logs] == ["state on disk is in use by another process"]
    assert (second.following, dict(second.items())) == (0, {})
    second.close()
    first.close()
    third = opened(tmp_path)
    assert (third.following, third.path) == (7, first.path)
    third.close()


def spoil(path: Path) -> None:
    for file in path.glob("MANIFEST-*"):
        file.write_bytes(b"spoilt" * 50)


def lose(path: Path) -> None:
    (path / "CURRENT").unlink()


def empty_it(path: Path) -> None:
    for file in path.iterdir():
        file.write_bytes(b"")


@pytest.mark.parametrize("harm", [spoil, lose, empty_it])
def test_a_damaged_database_is_dropped(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    store = opened(tmp_path)
    store.recover([{b"a": b"1"}], 7)
    store.close()
    harm(store.path)
    with capture_logs() as logs:
        store = opened(tmp_path)
    assert [line["event"] for line in logs] == ["state on disk dropped, it is read anew from Kafka"]
    assert (store.following, dict(store.items())) == (0, {})
    store.put([(b"a", b"2")], (0, 1))
    assert store.following == 1
    store.close()


def test_a_database_of_another_cluster_is_dropped(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.recover([{b"a": b"1"}], 7)
    store.close()
    with capture_logs() as logs:
        store = opened(tmp_path, "another ringback-t-changelog 0")
    assert "another cluster" in logs[0]["why"]
    assert (store.following, dict(store.items())) == (0, {})
    store.close()


class Broken:
    """A database whose disk is full, or has lost bits."""

    def __init__(self, says: str) -> None:
        self.says = says

    def get(self, key: bytes) -> bytes:
        raise Exception(self.says)

    def write(self, batch: object) -> None:
        raise Exception(self.says)


def test_a_full_disk_says_what_to_do(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store._db.close()
    store._db = Broken("IO error: No space left on device")  # type: ignore[assignment]
    with pytest.raises(StateStoreError, match=r"No space left on device. Nothing is lost.*Make room"):
        store.put([(b"a", b"1")], (0, 1))
    assert store.following == 0
    opened(tmp_path).close()


class Closing:
    """A database that must not be closed, as that would write."""

    def __init__(self) -> None:
        self.calls: list[bool] = []

    def cancel_all_background(self, wait: bool) -> None:
        self.calls.append(wait)


def test_beside_a_database_that_failed_nothing_is_written_any_more(tmp_path: Path) -> None:
    """Not even at the end; what the others had is there all the same."""
    other = DiskPartition(tmp_path / "u-0", IDENTITY)
    other.recover([{b"a": b"1"}], 7)
    store = opened(tmp_path)
    store._db.close()
    store._db = Broken("IO error: No space left on device")  # type: ignore[assignment]
    with pytest.raises(StateStoreError):
        store.put([(b"a", b"1")], (0, 1))
    store._db = closing = Closing()  # type: ignore[assignment]
    store.close()
    assert closing.calls == [False]
    other.close()
    again = DiskPartition(tmp_path / "u-0", IDENTITY)
    assert (again.following, again.path.name, dict(again.items())) == (7, "u-0", {b"a": b"1"})
    again.close()


def test_damage_found_while_reading_is_dropped_by_the_next_start(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.recover([{b"a": b"1"}], 7)
    store._db.close()
    store._db = Broken("Corruption: block checksum mismatch")  # type: ignore[assignment]
    with pytest.raises(StateStoreError, match="Corruption"):
        store.get(b"a")
    for following in (0, 0):
        store = opened(tmp_path)
        assert store.following == following
        store.close()


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rocksdict", None)
    with pytest.raises(StateStoreError, match=r"pip install 'ringback\[disk\]'"):
        disk.require_rocksdict()


def test_partitions_are_apart() -> None:
    held = in_memory()
    held.of(1).put([(b"a", b"1")], None)
    held.of(2).put([(b"b", b"2"), (b"c", b"3")], None)
    assert [held.get(b"b"), held.get(b"b", 2), held.get(b"b", 1), held.get(b"b", 3)] == [
        b"2",
        b"2",
        None,
        None,
    ]
    assert dict(held.items(None)) == {b"a": b"1", b"b": b"2", b"c": b"3"}
    held.keep_only({2, 3})
    assert dict(held.items(None)) == {b"b": b"2", b"c": b"3"}
    held.close()  # memory stays
    assert held.get(b"b") == b"2"


def test_what_moves_away_can_be_opened_by_another(tmp_path: Path) -> None:
    held = TablePartitions(lambda n: DiskPartition(tmp_path / f"t-{n}", f"{n}"), persistent=True)
    for number in (0, 1):
        held.of(number).recover([{b"%d" % number: b"x"}], 3)
    held.keep_only({1})
    other = DiskPartition(tmp_path / "t-0", "0")
    assert (other.following, other.path.name) == (3, "t-0")
    other.close()
    held.close()
    assert not held.open


async def test_faust_finds_the_store(tmp_path: Path) -> None:
    assert stores.by_url(FAUST_STORE) is FaustStore
    app = faust.App("ringback", broker="batched://127.0.0.1:1", store=FAUST_STORE)
    held = TablePartitions(lambda n: DiskPartition(tmp_path / f"t-{n}", f"{n}"), persistent=True)
    disk_table = app.Table("disk", partitions=2, options={"partitions": held})
    memory_table = app.Table("memory", partitions=2, options={"partitions": in_memory()})
    tp = TP("changelog", 1)
    assert memory_table.persisted_offset(tp) is None  # as Faust's own
    assert disk_table.persisted_offset(tp) == -1  # not None, which would leave Faust the offset it knew
    held.of(1).recover([{b"a": b"1"}], 8)
    assert disk_table.persisted_offset(tp) == 7
    await disk_table.data.on_recovery_completed(set(), set())
    assert not held.open


@pytest.mark.parametrize(
    ("sent", "span"),
    [
        ([], None),
        ([(3, 10)], (10, 13)),
        ([(3, 10), (2, 13)], (10, 15)),
        ([(3, 10), (2, 14)], None),
        ([(3, -1)], None),
    ],
)
def test_offsets_of_what_was_written(sent: list[tuple[int, int]], span: tuple[int, int] | None) -> None:
    assert joined(sent) == span
