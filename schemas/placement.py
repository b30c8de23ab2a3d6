"""Which partition a contact belongs in: that of Kafka's Java client, murmur2 of the key.

All events of a contact must be in one partition, where one worker folds them. A producer with another
partitioner (librdkafka's default is CRC32) puts them elsewhere.
"""

from functools import cache
from struct import Struct
from zlib import crc32

MASK = 0xFFFFFFFF
FACTOR = 0x5BD1E995
SEED = 0x9747B28C
POSITIVE = 0x7FFFFFFF


@cache
def words_of(count: int) -> Struct:
    """Reads so many little-endian words."""
    return Struct(f"<{count}I")


def murmur2(data: bytes) -> int:
    """MurmurHash2 as Kafka has it, with Kafka's seed."""
    size = len(data)
    count, rest = divmod(size, 4)
    found = SEED ^ size
    for word in words_of(count).unpack_from(data):
        word = word * FACTOR & MASK
        found = (found * FACTOR & MASK) ^ ((word ^ word >> 24) * FACTOR & MASK)
    if rest:
        found = (found ^ int.from_bytes(data[count * 4 :], "little")) * FACTOR & MASK
    found = (found ^ found >> 13) * FACTOR & MASK
    return found ^ found >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key: every producer of contact-events must say the same."""
    return (murmur2(key) & POSITIVE) % partitions


def librdkafka_partition_of(key: bytes, partitions: int) -> int:
    """Where librdkafka puts a key unless it is told otherwise."""
    return crc32(key) % partitions
