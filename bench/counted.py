"""What was counted against the truth, window by window; and how to read counts from a topic."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.events import WindowKey, Windows
from kpis.tallies.windows import MEASURES, Tally

Changed = Iterable[tuple[WindowKey, Mapping[str, int]]]


def named(tally: Tally) -> dict[str, int]:
    """Measures of a tally that are not 0."""
    return {name: value for name, value in zip(MEASURES, tally, strict=True) if value}


def summed(parts: Changed) -> Windows:
    """Windows from the parts that partitions hold of them."""
    sums: dict[WindowKey, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for window, amounts in parts:
        for name, amount in amounts.items():
            sums[window][name] += amount
    windows = {window: {name: n for name, n in row.items() if n} for window, row in sums.items()}
    return {window: row for window, row in windows.items() if row}


def offered(windows: Windows) -> int:
    """Contacts offered to queues, the count that everybody asks for."""
    return sum(row.get("offered", 0) for row in windows.values())


def verdict(counted: Windows, truth: Windows) -> str:
    """`1` when every measure of every window is right, else how wrong, and in which measures."""
    values, wrong = 0, Counter[str]()
    for window in counted.keys() | truth.keys():
        ours, theirs = counted.get(window, {}), truth.get(window, {})
        names = ours.keys() | theirs.keys()
        values += len(names)
        wrong.update(name for name in names if ours.get(name, 0) != theirs.get(name, 0))
    if not wrong:
        return f"1 ({values:,} values)"
    named = ", ".join(name for name, _ in wrong.most_common(2))
    total = offered(counted) / offered(truth)
    return f"offered {total:.5f}; {wrong.total():,} of {values:,} values differ: {named}"


def share(stored: int, sent: int, what: str) -> str:
    """Stored against sent, of things that are no windows."""
    return f"{stored / sent:.5f} {what}" if stored != sent else f"1 ({sent:,} {what})"


async def latest(servers: str, topic: str, partitions: int) -> dict[bytes, bytes]:
    """The last value of each key in a topic."""
    found: dict[bytes, bytes] = {}
    tps = [TopicPartition(topic, number) for number in range(partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False) as consumer:
        consumer.assign(tps)
        await consumer.seek_to_beginning(*tps)
        ends = await consumer.end_offsets(tps)
        while any([await consumer.position(tp) < ends[tp] for tp in tps]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found |= {record.key: record.value for record in records}
    return found
