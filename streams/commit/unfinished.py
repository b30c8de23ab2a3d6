"""After recovery: finish the batch that a crash cut short, or count everything anew under other rules."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice

import structlog

from streams.commit.processor import Processor
from streams.stages.documents import row_version
from streams.stages.stage import Output, Stage
from streams.state.damage import Fit
from streams.state.markers import Begun, Done, begun_bytes, done_bytes, marker_key, read_begun, read_done

log = structlog.get_logger()
# Each contact told anew is folded anew: some 0.2 s of it.
PUBLISHED_TOGETHER = 2_000


def unfinished(processor: Processor, partition: int) -> Begun | None:
    """What a batch of the partition has begun and not done; everything, where the rules are not the same.

    And everything where the least epoch was raised: all that is published then beats what was before.
    """
    key = marker_key(partition)
    begun = read_begun(processor.stage.state.get(key, partition))
    done = read_done(processor.stage.totals.get(key, partition))
    if begun is None:
        return None
    cut_short = done is None or done.batch != begun.batch
    outdated = begun.epoch < processor.config.epoch  # RINGBACK_EPOCH was raised above its rows
    everything = outdated or done is None or done.rules != processor.rules or (cut_short and begun.everything)
    if not cut_short and not everything:
        return None
    return replace(begun, touched=begun.touched if cut_short else None, everything=everything)


async def totals_to_publish(stage: Stage, partition: int, found: Begun) -> dict[bytes, bytes]:
    """Totals as the state has them: those that differ from what is stored, or all there are and were."""
    right, stored = await stage.recount(partition), dict(stage.totals.items(partition))
    published = dict.fromkeys(found.totals, found.empty) | stored if found.everything else stored
    totals = {
        key: stage.published_total(right.get(key), published.get(key))
        for key in right.keys() | published.keys()
    }
    return {key: total for key, total in totals.items() if found.everything or total != stored.get(key)}


def together(outputs: Iterable[Output], size: int) -> Iterator[list[Output]]:
    """Outputs in lists of at most `size`."""
    following = iter(outputs)
    while chunk := list(islice(following, size)):
        yield chunk


def damaged(processor: Processor, partition: int, found: Begun | None) -> Begun:
    """A batch of everything, where state and log do not fit: whatever was told before is told anew."""
    begun = found or read_begun(processor.stage.state.get(marker_key(partition), partition))
    if begun is None:
        begun = Begun(0, -1, None, empty=processor.stage.published_total(None, None))
    return replace(begun, touched=found.touched if found else None, everything=True)


async def finish_batch(processor: Processor, partition: int, fit: Fit | None = None) -> bool:
    """Publish what may be unpublished; True if there was anything.

    The epoch is raised, so that these rows beat whatever the cut-short batch had published, and they carry
    the offset up to which the state was complete, so that every later batch beats them. A crash in here is no
    harm: the marker still says that the batch is not done.
    """
    found, applied, epoch = unfinished(processor, partition), processor.applied_of(partition), 0
    if fit is not None and fit.damage:
        found, applied, epoch = damaged(processor, partition, found), fit.applied, fit.epoch
    if found is None:
        return False
    stage, key = processor.stage, marker_key(partition)
    stage.forget()
    totals = await totals_to_publish(stage, partition, found)
    keys = found.totals if found.everything else tuple({*found.totals, *totals})
    # By the offset applied, not by that of the batch: a later batch of this epoch may end there as well.
    above = max(processor.epoch_of(partition), epoch)
    again = replace(found, epoch=above + 1, offset=applied, totals=keys)
    await processor.store(stage.state, partition, [(key, begun_bytes(again))])
    if found.everything:
        # Known before readers see them: should the rules change back before this is done, totals
        # that only these rules have will be taken back. What was stored decides nothing here.
        await processor.store(stage.totals, partition, list(totals.items()))
    version, published = row_version(again.epoch, again.offset), 0
    repaired = stage.repair(partition, found.touched, found.everything, version)
    outputs = chain(repaired, processor.total_outputs(partition, totals, version))
    for chunk in together(outputs, PUBLISHED_TOGETHER):
        await processor.publisher.publish(chunk)
        published += len(chunk)
    done = (key, done_bytes(Done(again.batch, applied, processor.rules)))
    known = [] if found.everything else list(totals.items())
    await processor.store(stage.totals, partition, [*known, done])
    log.info(
        "counted anew" if found.everything else "batch cut short by a crash is finished",
        topic=stage.topic,
        partition=partition,
        epoch=again.epoch,
        outputs=published,
    )
    return True
