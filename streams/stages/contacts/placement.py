"""Contacts that a producer has put into a wrong partition: refused and named, never counted in two halves.

A contact that was counted here before this was looked at goes on being counted here, so that an upgrade
changes no number, until `ringback heal` has brought its events where they belong. It then says so by a record
without value under the contact's key, and the contact leaves this partition.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.placement import partition_of
from streams.kafka.record import Record, RefusedRecord
from streams.stages.contacts.event_set import CanonicalEvent

WRONG_PARTITION = "wrong_partition"


@dataclass(frozen=True, slots=True)
class Placement:
    """A partition among how many, which holds the contacts that the Java client's partitioner gives it."""

    partition: int
    partitions: int

    def holds(self, key: bytes) -> bool:
        """Is this the partition of a contact?"""
        return partition_of(key, self.partitions) == self.partition

    def without_moved(self, records: Sequence[Record]) -> tuple[Sequence[Record], set[str]]:
        """The records that are none of `ringback heal`, and the contacts that it has brought elsewhere."""
        moved = {
            record.key.decode(errors="replace")
            for record in records
            if record.value is None and record.key and not self.holds(record.key)
        }
        if not moved:
            return records, moved
        return [
            record
            for record in records
            if record.value is not None or not record.key or self.holds(record.key)
        ], moved

    def refused(self, contact_id: str, arrived: Iterable[tuple[int, CanonicalEvent]]) -> list[RefusedRecord]:
        """Dead letters of a contact that does not belong here."""
        right = partition_of(contact_id.encode(), self.partitions)
        return [
            RefusedRecord(
                offset,
                WRONG_PARTITION,
                f"{item.event.source} wrote to partition {self.partition} what belongs in {right} of "
                f"{self.partitions}: set partitioner=murmur2_random there, then run `ringback heal`",
                item.canonical,
            )
            for offset, item in arrived
        ]
