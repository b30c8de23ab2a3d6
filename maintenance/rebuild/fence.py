"""The line that a rebuild draws: all rows that the stream wrote before it are stored, with their raw events.

What is recomputed of the raw events then takes the place of those rows. What the stream writes later is of
later offsets and wins: its events were not, or not all, among them (docs/adr/0011-rebuild-by-version.md).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from maintenance.rebuild.targets import targets_of
from schemas.topics import (
    AGENT_ACTIVITY,
    CONTACT_EVENTS,
    CUSTOMER_CONTACTS,
    PASSED_ON_TOPICS,
    RAW_TOPICS,
    SINK_GROUP,
    SINK_TOPICS,
    WORKER_GROUP,
)
from sql import rebuild_queries as text
from streams.health.group_lag import OffsetReader, Offsets, wait_for
from streams.stages.documents import rebuilt_version

STAGES = {"contacts": CONTACT_EVENTS, "customers": CUSTOMER_CONTACTS, "agents": AGENT_ACTIVITY}
STILL_S = 60.0
TRIES = 5
Epochs = dict[str, dict[int, int]]


class NoFence(RuntimeError):
    """The line cannot be drawn now."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Version of a rebuilt row by stage, and in it by partition."""

    versions: dict[str, list[int]]

    def partitions(self) -> int:
        """How many partitions each topic has."""
        return len(self.versions["contacts"])


def epochs_of(client: Client, partitions: int) -> Epochs:
    """The greatest epoch that any row has, by stage and partition."""
    targets = targets_of(partitions)
    found: Epochs = {}
    for stage in STAGES:
        query = text.epochs([target for target in targets if target.stage == stage])
        found[stage] = {int(number): int(epoch) for number, epoch in client.query(query).result_rows}
    return found


def fence_of(ends: Offsets, epochs: Epochs) -> Fence:
    """Versions between what was written up to these ends and what will be."""

    def versions(stage: str, topic: str) -> Iterable[int]:
        offsets = {number: offset for (name, number), offset in ends.items() if name == topic}
        for number in range(len(offsets)):
            yield rebuilt_version(epochs[stage].get(number, 0), offsets[number])

    return Fence({stage: [*versions(stage, topic)] for stage, topic in STAGES.items()})


async def all_stored(offsets: OffsetReader, on_wait: Callable[[int], None]) -> Offsets:
    """Wait until what is in Kafka now is applied and stored; the ends that were waited for.

    Raises StillWaiting.
    """
    waited: Offsets = {}
    for group, names in (
        (WORKER_GROUP, RAW_TOPICS),
        (WORKER_GROUP, PASSED_ON_TOPICS),
        (SINK_GROUP, SINK_TOPICS),
    ):
        ends = await offsets.ends(names)
        await wait_for(offsets, group, ends, on_wait, STILL_S)
        waited = ends | waited  # of the worker's topics, what the worker was waited for
    return waited


async def draw(
    client: Client, bootstrap_servers: str, partitions: int, on_wait: Callable[[int], None]
) -> Fence:
    """Draw the line. Raises StillWaiting, NoFence, KafkaError, ClickHouseError.

    The epochs must be the same before and after: a worker that takes a partition over meanwhile, and raises
    its epoch, might have written rows on both sides of the line under the old one.
    """
    async with OffsetReader(bootstrap_servers) as offsets:
        for _ in range(TRIES):
            before = epochs_of(client, partitions)
            ends = await all_stored(offsets, on_wait)
            if epochs_of(client, partitions) == before:
                return fence_of(ends, before)
    raise NoFence(
        "workers start again and again, or partitions move between them: wait until they are calm "
        "(`ringback doctor`), and run the command again"
    )
