"""State on disk: one RocksDB database for each partition of a table, a cache of its changelog (ADR 0012).

With the values stands the offset up to which they are complete, written in one batch with them. So whatever
a crash leaves is right up to an offset, and recovery reads the changelog from there. Anything doubtful (a
damaged database, another cluster, an offset that the changelog does not reach) is dropped and read anew.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from schemas import topics
from streams.config import StreamConfig
from streams.kafka.record import OffsetSpan
from streams.state.memory import in_memory
from streams.state.partition import Changes, Entry, TablePartitions
from streams.state.table import StateStoreError

if TYPE_CHECKING:
    from rocksdict import Options, Rdict

log = structlog.get_logger()
META = b"\xfe"  # no key of ours begins so, nor does a marker
FORMAT = 1
# Of the whole worker, whatever it holds: 24 databases with 4 partitions. Beside these RocksDB keeps filters
# and indexes in memory, some 3 bytes a record.
CACHE_BYTES = 64 * 1024 * 1024
UNWRITTEN_BYTES = 64 * 1024 * 1024
BUFFER_BYTES = 8 * 1024 * 1024
BLOCK_BYTES = 4 * 1024
FILTER_BITS = 10
OPEN_FILES = 64
LOG_BYTES = 1024 * 1024
# What a database says that cannot be mended by reading the changelog again.
NO_HELP = ("No space left", "Permission denied", "Read-only", "Too many open files", "quota")
# A worker that hangs may still have the database that its successor needs; that one takes the next name.
SLOTS = 16
# Folders in which a database has failed. Closing one there would write what is in memory, and RocksDB tries
# that for a second, while nothing else runs: with 24 of them longer than a worker has to stop.
FAILED: set[Path] = set()


def store_error(path: Path, error: Exception) -> StateStoreError:
    """What is said before the worker stops; said here as well, for Faust may catch it on the way."""
    log.error("state on disk fails", path=os.fspath(path), error=str(error))
    FAILED.add(path.parent)
    return StateStoreError(
        f"state in {path}: {error}. Nothing is lost, Kafka has everything. Make room there (or set "
        "RINGBACK_DATA_DIR to a larger disk, or RINGBACK_STATE_STORE=memory) and start the worker again"
    )


def require_rocksdict() -> None:
    """Raise StateStoreError where the package is missing."""
    try:
        import rocksdict  # noqa: F401
    except ImportError as error:
        raise StateStoreError(
            "RINGBACK_STATE_STORE=rocksdict needs the package rocksdict: pip install 'ringback[disk]', "
            "or set RINGBACK_STATE_STORE=memory"
        ) from error


@cache
def options() -> "Options":
    """How databases are opened. Cache and write buffers are shared by all of this process."""
    import rocksdict

    made = rocksdict.Options(raw_mode=True)
    made.create_if_missing(True)
    made.set_write_buffer_manager(rocksdict.WriteBufferManager(UNWRITTEN_BYTES, False))
    made.set_write_buffer_size(BUFFER_BYTES)
    made.set_max_open_files(OPEN_FILES)
    made.set_compression_type(rocksdict.DBCompressionType.lz4())
    made.set_keep_log_file_num(1)
    made.set_max_log_file_size(LOG_BYTES)
    blocks = rocksdict.BlockBasedOptions()
    blocks.set_block_cache(rocksdict.Cache(CACHE_BYTES))
    blocks.set_block_size(BLOCK_BYTES)
    # Not in the cache: a filter larger than one of its shards would be read again for every key, 150 us each.
    blocks.set_bloom_filter(FILTER_BITS, False)
    made.set_block_based_table_factory(blocks)
    return made


def opened(path: Path) -> "Rdict":
    """A database, made where there is none."""
    from rocksdict import Rdict

    path.parent.mkdir(parents=True, exist_ok=True)
    return Rdict(os.fspath(path), options())


class DiskPartition:
    """A database. `identity` says whose changelog it is a copy of."""

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self.identity = identity
        self.following = 0
        self._db = self._open()

    def _open(self) -> "Rdict":
        """The database under the first name that no living process has; anew where it is of no use."""
        base = self.path
        for slot in range(SLOTS):
            self.path = base if slot == 0 else base.with_name(f"{base.name}.{slot}")
            try:
                return self._usable()
            except StateStoreError:
                raise
            except Exception as error:  # rocksdict raises nothing more precise
                if "lock" not in str(error).lower():
                    raise store_error(self.path, error) from error
                log.warning("state on disk is in use by another process", path=os.fspath(self.path))
        raise StateStoreError(f"{base} and {SLOTS - 1} more are in use by other processes; end these")

    def _usable(self) -> "Rdict":
        """The database of this path, if what is in it is of use; otherwise an empty one."""
        if self._damaged.exists():
            self._remove("it was found damaged")
        try:
            db = opened(self.path)
            meta = orjson.loads(db.get(META) or b"null")
        except Exception as error:
            text = str(error)
            if "lock" in text.lower() or any(cause in text for cause in NO_HELP):
                raise
            self._remove(text)
            return self._marked(opened(self.path))
        if meta == {"format": FORMAT, "identity": self.identity, "following": (meta or {}).get("following")}:
            self.following = meta["following"]
            return db
        if meta is None and next(iter(db.keys()), None) is None:
            return self._marked(db)
        db.close()
        self._remove("it is of another cluster, topic or version")
        return self._marked(opened(self.path))

    def _marked(self, db: "Rdict") -> "Rdict":
        """An empty database, which now says whose it is."""
        db.put(META, self._meta(0))
        return db

    @property
    def _damaged(self) -> Path:
        return self.path.with_name(self.path.name + ".damaged")

    def _meta(self, following: int) -> bytes:
        return orjson.dumps({"format": FORMAT, "identity": self.identity, "following": following})

    def _remove(self, why: str) -> None:
        """Remove the files, and say so."""
        log.warning("state on disk dropped, it is read anew from Kafka", path=os.fspath(self.path), why=why)
        shutil.rmtree(self.path, ignore_errors=True)
        self._damaged.unlink(missing_ok=True)

    def _failed(self, error: Exception) -> StateStoreError:
        """What to raise; a damaged database is dropped by whoever opens it next."""
        if "Corruption" in str(error):
            self._damaged.touch()
        return store_error(self.path, error)

    def get(self, key: bytes) -> bytes | None:
        """Value of a key."""
        try:
            value: bytes | None = self._db.get(key)
        except Exception as error:
            raise self._failed(error) from error
        return value

    def put(self, items: Sequence[Entry], span: OffsetSpan | None) -> None:
        """Set values, and move the offset behind theirs.

        Recovery has read what others wrote, and nobody else can write since (ADR 0010): what lies between are
        our own reminders to Kafka, which no table sees.
        """
        follows = span is not None and span[0] >= self.following
        self._write([dict(items)], span[1] if follows and span else self.following)

    def recover(self, fetched: Iterable[Changes], following: int) -> None:
        """Set or delete, up to an offset."""
        self._write(fetched, following)

    def _write(self, changes: Iterable[Changes], following: int) -> None:
        """All at once, and the offset with it: after a crash all of it is there, or nothing."""
        from rocksdict import WriteBatch

        batch = WriteBatch(raw_mode=True)
        for values in changes:
            for key, value in values.items():
                if value is None:
                    batch.delete(key)
                else:
                    batch.put(key, value)
        batch.put(META, self._meta(following))
        try:
            self._db.write(batch)
        except Exception as error:
            raise self._failed(error) from error
        self.following = following

    def items(self, prefix: bytes = b"") -> Iterator[Entry]:
        """Keys with a prefix and their values, in the order of keys, as they were when asked for."""
        found = self._db.iter()
        found.seek(prefix)
        while found.valid():
            key: Any = found.key()
            if not key.startswith(prefix):
                return
            if key != META:
                yield key, found.value()
            found.next()
        try:
            found.status()
        except Exception as error:
            raise self._failed(error) from error

    @property
    def records(self) -> int:
        """RocksDB's estimate, without the entry of the offset."""
        return max((self._db.property_int_value("rocksdb.estimate-num-keys") or 0) - 1, 0)

    @property
    def size(self) -> int:
        """RocksDB's estimate of what is in files, and what is not yet."""
        names = ("rocksdb.estimate-live-data-size", "rocksdb.cur-size-all-mem-tables")
        return sum(self._db.property_int_value(name) or 0 for name in names)

    def close(self) -> None:
        """Write what is in memory, let others open it. What cannot be written is read from Kafka again."""
        if self.path.parent in FAILED:
            self._db.cancel_all_background(False)  # without it even this writes
            del self._db
            return
        try:
            self._db.close()
        except Exception as error:
            log.warning("state on disk not closed", path=os.fspath(self.path), error=str(error))

    def drop(self) -> None:
        """Begin anew."""
        self.close()
        self._remove("its offset is none that the changelog has")
        self.following = 0
        self._db = self._marked(opened(self.path))


def partitions_of(config: StreamConfig, table: str) -> TablePartitions:
    """What a table holds, in the store of the configuration. Raises StateStoreError."""
    if config.state_store == "memory":
        return in_memory()
    require_rocksdict()
    folder = config.state_dir / "rocksdict"

    def make(partition: int) -> DiskPartition:
        identity = f"{config.cluster} {topics.changelog_of(table)} {partition}"
        return DiskPartition(folder / f"{table}-{partition}", identity)

    return TablePartitions(make, persistent=True)
