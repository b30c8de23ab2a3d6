"""The simulation finds what it is there to find: each fault planted here shows within some hundred seeds."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from support.simulation import Writer
from test_crash_simulation import quiet, simulate

from streams.commit import processor
from streams.commit import unfinished as recovery
from streams.commit.forwarder import Forwarder
from streams.commit.processor import Processor
from streams.commit.publisher import Publisher
from streams.stages import documents
from streams.stages.contacts import batch as apply
from streams.stages.contacts import stage as contacts
from streams.stages.customers import stage as customers
from streams.stages.customers.stage import Customers
from streams.stages.documents import row_version
from streams.state.histories import Histories

pytestmark = pytest.mark.slow
SEEDS = range(1_000)  # the rarest shows in one of a hundred
Patch = pytest.MonkeyPatch
__all__ = ["quiet"]  # the fixture


def outputs_before_state(patch: Patch) -> None:
    plain = Processor.write

    async def write(self: Processor, partition: int, begun: Any, work: Any) -> None:
        version = row_version(begun.epoch, begun.offset)
        totals = self.total_outputs(partition, work.totals, version)
        await self.publisher.publish([*work.outputs, *totals], partition)
        await plain(self, partition, begun, work)

    patch.setattr(Processor, "write", write)


def epoch_not_raised(patch: Patch) -> None:
    patch.setattr(Processor, "epoch_of", lambda self, partition: 0)
    patch.setattr(
        recovery,
        "replace",
        lambda begun, **more: replace(begun, **more | {"epoch": 0} if "epoch" in more else more),
    )


def nothing_finished(patch: Patch) -> None:
    async def finish(processor: Any, partition: int) -> bool:
        return False

    patch.setattr("support.simulation.finish_batch", finish)


def old_customer_not_told(patch: Patch) -> None:
    plain = apply.forward_changes
    patch.setattr(
        apply,
        "forward_changes",
        lambda old, new: {k: v for k, v in plain(old, new).items() if v is not None},
    )


def old_customer_forgotten_by_marker(patch: Patch) -> None:
    plain = contacts.touched_by
    patch.setattr(contacts, "touched_by", lambda change: plain(change) | {"customers": [], "sessions": []})


def tombstone_without_version(patch: Patch) -> None:
    plain = customers.version_of
    patch.setattr(
        customers, "version_of", lambda value: -1 if value and b'"visit":null' in value else plain(value)
    )


def what_is_told_again_counts(patch: Patch) -> None:
    patch.setattr(customers, "version_of", lambda value: -1)


def facts_gone_not_told(patch: Patch) -> None:
    plain = Customers.repair
    patch.setattr(
        Customers,
        "repair",
        lambda *args: (out for out in plain(*args) if b'"fact":null' not in out[2][1]),
    )


def old_minute_not_told(patch: Patch) -> None:
    plain = documents.gone
    patch.setattr(documents, "gone", lambda change: plain(change) | {"durations": []})


def old_minute_forgotten_by_marker(patch: Patch) -> None:
    plain = contacts.touched_by
    patch.setattr(contacts, "touched_by", lambda change: plain(change) | {"durations": []})


def rules_not_remembered(patch: Patch) -> None:
    patch.setattr(processor, "rules_digest", lambda rules: "the same")


def batch_not_remembered_under_other_rules(patch: Patch) -> None:
    plain = Processor.begin
    patch.setattr(Processor, "begin", lambda *args: replace(plain(*args), totals=()))


def new_keys_not_noted(patch: Patch) -> None:
    patch.setattr(Histories, "add", lambda self, owner, key: None)


def some_states_dropped(patch: Patch) -> None:
    plain = Forwarder.process

    async def process(self: Forwarder, partition: int, fetched: Any) -> None:
        await plain(self, partition, fetched[:7])

    patch.setattr(Forwarder, "process", process)


def some_dead_letters_lost(patch: Patch) -> None:
    plain = Publisher.publish

    async def publish(self: Publisher, outputs: Any, partition: int = 0, refused: Any = ()) -> None:
        await plain(self, outputs, partition, refused[1:])

    patch.setattr(Publisher, "publish", publish)


def changelogs_not_fenced(patch: Patch) -> None:
    async def take(self: Writer, partitions: Any) -> None:
        pass

    patch.setattr(Writer, "take", take)


FAULTS = [
    changelogs_not_fenced,
    outputs_before_state,
    epoch_not_raised,
    nothing_finished,
    old_customer_not_told,
    old_customer_forgotten_by_marker,
    tombstone_without_version,
    what_is_told_again_counts,
    facts_gone_not_told,
    old_minute_not_told,
    old_minute_forgotten_by_marker,
    rules_not_remembered,
    batch_not_remembered_under_other_rules,
    new_keys_not_noted,
    some_states_dropped,
    some_dead_letters_lost,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_planted_fault_is_found(fault: Callable[[Patch], None], monkeypatch: Patch) -> None:
    fault(monkeypatch)
    found = next((seed for seed in SEEDS if simulate(seed)[0]), None)
    assert found is not None
