"""Faust's tables, bent: what they hold is ours, and recovery reads it in bulk (ADR 0009).

When to recover, from where, up to where and what follows stay Faust's decisions: it finds that nothing is
left. The private names of Faust that this touches are pinned in tests/support/private_names.py.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import structlog
from aiokafka import TopicPartition
from faust.stores.base import Store
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery, ServiceStopped
from faust.types import TP

from streams.kafka.record import OffsetSpan
from streams.state.changelog import ChangelogReader
from streams.state.partition import Changes, TablePartition, TablePartitions
from streams.state.table import StateStoreError

log = structlog.get_logger()
FAUST_STORE = "ringback://"  # the entry point of FaustStore in pyproject.toml


class FaustStore(Store):  # type: ignore[misc]  # faust is untyped to us
    """The table as Faust knows it: it asks from where to recover and says which partitions are ours."""

    @property
    def partitions(self) -> TablePartitions:
        """What the table holds, as streams.engine.app made it."""
        partitions: TablePartitions = self.options["partitions"]
        return partitions

    def persisted_offset(self, tp: TP) -> int | None:
        """Offset of the last changelog record that is on disk, -1 for none; None in memory: Faust knows."""
        return self.partitions.of(tp.partition).following - 1 if self.partitions.persistent else None

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """Faust's own way of recovery, which BulkRecovery leaves nothing to do."""
        for event in batch:
            message = event.message
            self.partitions.of(message.partition).recover([{message.key: message.value}], message.offset + 1)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """All that is ours has been read."""
        self.partitions.keep_only({partition for _, partition in active_tps})

    async def on_stop(self) -> None:
        """The worker stops."""
        self.partitions.close()

    def reset_state(self) -> None:
        """`faust reset`, which nobody calls."""

    async def backup_partition(self, tp: Any, flush: bool = True, purge: bool = False, keep: int = 1) -> None:
        """Nothing: the changelog is the backup."""

    def restore_backup(self, tp: Any, latest: bool = True, backup_id: int = 0) -> None:
        """Nothing: the changelog is the backup."""


class BulkRecovery(Recovery):  # type: ignore[misc]  # faust is untyped to us
    """Faust's recovery, which finds that there is nothing to recover as all has just been read."""

    async def _wait(self, coro: Awaitable[Any], timeout: float | None = None) -> None:  # noqa: ASYNC109 - Faust's
        """Without limits of time: after one Faust would stop recovering, without a word and for ever."""
        await super()._wait(coro)

    async def _build_highwaters(self, consumer: Any, tps: set[TP], destination: Any, title: str) -> None:
        """How far to read. Once that is known nobody else may write there any more."""
        if title == "active" and self.tables.take_over is not None:
            await self.tables.take_over(tps)
        await super()._build_highwaters(consumer, tps, destination, title)

    async def _seek_offsets(self, consumer: Any, tps: set[TP], offsets: Any, title: str) -> None:
        """The last step before Faust looks whether there is something to recover."""
        if title == "active":
            try:
                self.drop_what_has_no_changelog(tps, offsets)
                spans = {tp: (offsets[tp] + 1, self.active_highwaters[tp] + 1) for tp in tps}
                await self.read_changelogs(spans)
            except StateStoreError as error:
                self.app.ending.fail(error)
                raise ServiceStopped from error  # recovers no more
        await super()._seek_offsets(consumer, tps, offsets, title)

    def drop_what_has_no_changelog(self, tps: set[TP], offsets: Any) -> None:
        """Tables that are ahead of their changelog are copies of another one: it was deleted and made anew.

        Faust's own check (recovery_consistency_check, off in our app) would stop the worker every time.
        """
        for tp in tps:
            if offsets[tp] > self.active_highwaters[tp]:
                self.partition_of(tp).drop()
                offsets[tp] = -1

    def partition_of(self, tp: TP) -> TablePartition:
        """The partition of a table that a changelog partition is of."""
        partitions: TablePartitions = self.tp_to_table[tp].data.partitions
        return partitions.of(tp.partition)

    async def read_changelogs(self, spans: Mapping[TP, OffsetSpan]) -> None:
        """Read changelogs into their tables."""
        self._set_recovery_started()  # its other task takes recovery for ended until highwaters are known
        known = sum(start for tp, (start, _) in spans.items() if self.partition_of(tp).following)
        if known:
            to_go = sum(end - start for start, end in spans.values())
            log.info("state on disk is used, the rest is read from Kafka", known=known, to_go=to_go)
        # aiokafka insists on its own type; the two are equal, being named tuples.
        await self.reader().read({TopicPartition(*tp): span for tp, span in spans.items()})

    def reader(self) -> ChangelogReader:
        """Reads changelogs into our tables."""
        return ChangelogReader(self.app.brokers, self.apply_fetched, self.signal_recovery_start.is_set)

    def apply_fetched(self, tp: TopicPartition, fetched: list[Changes], following: int) -> None:
        """Into the table, and the offset with it: after a rebalance Faust goes on from there.

        Nothing is awaited between the two, nor since it was seen that there is no rebalance: a partition that
        was taken away in between would keep an offset, and be read from there should it ever come back.
        """
        self.partition_of(TP(*tp)).recover(fetched, following)
        self.active_offsets[TP(*tp)] = following - 1

    async def _verify_remaining(self, now: float, stats: Any) -> None:
        """Faust would warn that nothing comes by its own way."""


class BulkTables(TableManager):  # type: ignore[misc]
    """Faust's table manager with our recovery."""

    _recovery: BulkRecovery | None = None
    # Makes changelog partitions ours to write, before they are read (streams.kafka.fenced_writer).
    take_over: Callable[[set[TP]], Awaitable[None]] | None = None

    @property
    def recovery(self) -> BulkRecovery:
        """The recovery service, made when first asked for."""
        if self._recovery is None:
            self._recovery = BulkRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_rebalance(self, *args: Any, **kwargs: Any) -> None:
        """Partitions are assigned, and state on disk is opened; where it cannot be, the worker ends."""
        try:
            await super().on_rebalance(*args, **kwargs)
        except StateStoreError as error:
            self.app.ending.fail(error)  # and nothing is recovered
