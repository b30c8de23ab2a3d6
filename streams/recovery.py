"""After recovery: finish the batch that a crash cut short."""

from collections.abc import Iterator

import structlog

from kpis.tally import ZERO, Tally, Window
from streams.apply import BatchResult, ContactChange, facts_of, rebuild_windows
from streams.batching import items_of
from streams.documents import tally_bytes, tally_of, window_key, window_of
from streams.marker import Begun, Done, begun_bytes, done_bytes, is_marker, marker_key, read_begun, read_done
from streams.processor import Processor
from streams.state import unpack
from streams.topics import CONTACTS_CHANGELOG, WINDOWS_CHANGELOG

log = structlog.get_logger()


def cut_short(processor: Processor, partition: int) -> Begun | None:
    """The batch of a partition that has begun and is not done."""
    key = marker_key(partition)
    begun = read_begun(processor.contacts.data.get(key))
    done = read_done(processor.windows.data.get(key))
    return None if begun is None or (done is not None and done.batch == begun.batch) else begun


def changed_contacts(processor: Processor, begun: Begun) -> Iterator[ContactChange]:
    """The contacts of the batch as they now stand; a row they had and have no more is deleted."""
    for contact_id, had in begun.contacts.items():
        state = processor.state_of(contact_id)
        if state is not None:
            yield ContactChange(contact_id, state, had, facts_of(unpack(state), processor.config.rules))


def moved_windows(processor: Processor, partition: int) -> dict[Window, Tally]:
    """Windows whose total in the window table is not what the contact table says, with the right total."""
    contacts = (value for key, value in items_of(processor.contacts, partition) if not is_marker(key))
    totals = rebuild_windows(contacts, processor.config.rules)
    stored = {
        window_of(key)[0]: tally_of(value)
        for key, value in items_of(processor.windows, partition)
        if not is_marker(key)
    }
    windows = totals.keys() | stored.keys()
    return {
        window: totals.get(window, ZERO)
        for window in windows
        if totals.get(window, ZERO) != stored.get(window, ZERO)
    }


async def finish_batch(processor: Processor, partition: int) -> bool:
    """Publish what a crash may have kept from being published; True if there was such a batch.

    The epoch is raised, so that these rows beat whatever the cut-short batch had published, and they carry
    the offset up to which the state was complete, so that every later batch beats them. A crash in here is no
    harm: the marker still says that the batch is not done.
    """
    begun = cut_short(processor, partition)
    if begun is None:
        return False
    key, applied = marker_key(partition), processor.applied_of(partition)
    # By the offset applied, not by that of the batch: a later batch of this epoch may end there as well.
    again = Begun(processor.epoch_of(partition) + 1, applied, begun.contacts)
    await processor.store(CONTACTS_CHANGELOG, processor.contacts, partition, [(key, begun_bytes(again))])
    windows = moved_windows(processor, partition)
    contacts = list(changed_contacts(processor, begun))
    await processor.publish(partition, applied, BatchResult(contacts=contacts, windows=windows))
    totals = [(window_key(window, partition), tally_bytes(tally)) for window, tally in windows.items()]
    done = done_bytes(Done(again.batch, applied))
    await processor.store(WINDOWS_CHANGELOG, processor.windows, partition, [*totals, (key, done)])
    log.info(
        "batch cut short by a crash is finished",
        partition=partition,
        epoch=again.epoch,
        contacts=len(contacts),
        windows=len(windows),
    )
    return True
