"""Apply: `apply_batch` on the batches of four partitions, state in dictionaries, no Kafka."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.counted import named, summed, verdict
from bench.events import Input, load
from bench.meter import Stopwatch
from kpis.tallies.windows import Tally, Window
from schemas.placement import partition_of
from streams.config import StreamConfig
from streams.kafka.decoding import decode_single_object
from streams.kafka.record import Record
from streams.stages.contacts.batch import BatchResult, apply_batch
from streams.stages.contacts.folded_cache import FoldedCache
from streams.stages.contacts.placement import Placement

CONFIG = StreamConfig()
# What older versions counted otherwise.
REDEFINED = {"first_response_ms", "first_response_n"}


class Partition:
    """State of one partition."""

    def __init__(self, number: int) -> None:
        self.placement = Placement(number, CONFIG.partitions)
        self.contacts: dict[str, bytes] = {}
        self.windows: dict[Window, Tally] = {}
        self.recent = FoldedCache(lambda _, contact_id: self.contacts.get(contact_id), CONFIG.rules)

    def apply(self, records: list[Record]) -> BatchResult:
        """One batch, and its changes remembered."""
        self.recent.trim()
        known_of = partial(self.recent.get, 0)
        result = apply_batch(
            records, decode_single_object, known_of, self.windows.get, CONFIG.rules, self.placement
        )
        self.recent.keep(0, result.known)
        self.contacts.update((change.contact_id, change.state) for change in result.contacts)
        self.windows |= result.windows
        return result


def batches(data: Input) -> Iterator[tuple[int, list[Record]]]:
    """Batches as large as a fetch gives the worker, partition by partition in turn."""
    waiting: dict[int, list[Record]] = defaultdict(list)
    for offset, message in enumerate(data.messages):
        number = partition_of(message.key, CONFIG.partitions)
        waiting[number].append(Record(offset, message.key, message.value))
        if len(waiting[number]) == CONFIG.batch_max_records:
            yield number, waiting.pop(number)
    yield from waiting.items()


def main(folder: Path, of_old: bool = False) -> None:
    """Apply everything; `of_old`: the input was made by another version."""
    data = load(folder)
    work = list(batches(data))
    partitions = [Partition(number) for number in range(CONFIG.partitions)]
    with Stopwatch() as used:
        for number, records in work:
            partitions[number].apply(records)
    parts = ((window, named(tally)) for part in partitions for window, tally in part.windows.items())
    truth = data.truth
    if of_old:  # measures that did not exist are compared with nothing
        known = {name for row in truth.values() for name in row} - REDEFINED
        parts = ((window, {k: n for k, n in row.items() if k in known}) for window, row in parts)
        truth = {window: {k: n for k, n in row.items() if k in known} for window, row in truth.items()}
    used.report(len(data.messages), verdict(summed(parts), truth))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] == ["old"])
