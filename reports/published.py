"""What was known of minutes, and when: the log of what the sink published."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from sql.verify_queries import within


@dataclass(frozen=True, slots=True)
class Publication:
    """Sums of measures in a minute of a queue, in one partition, as they could be read from a time on."""

    known_at: int  # UTC ms
    version: int
    minute: int
    channel: str
    queue: str
    partition: int
    sums: dict[str, int]


def publications(
    client: Client, measures: Sequence[str], days: int, span: tuple[int, int], step_ms: int
) -> Iterator[Publication]:
    """Of the minutes in [begin, end), as they became known; of several within a step the last one."""
    values = ", ".join(f"argMax(measures['{name}'], (version, published_at))" for name in measures)
    query = (
        f"SELECT max(toUnixTimestamp64Milli(published_at)) AS known_at, max(version), "  # noqa: S608
        f"toUnixTimestamp64Milli(window_start) AS minute, channel, queue, partition, [{values}] "
        f"FROM published_windows {within('window_start', True)} AND days = {{days:UInt16}} "
        f"GROUP BY minute, channel, queue, partition, "
        f"intDiv(toUnixTimestamp64Milli(published_at), {step_ms:d}) "
        f"ORDER BY known_at, minute, channel, queue, partition"
    )
    asked = {"from_ms": span[0], "to_ms": span[1], "days": days}
    for known_at, version, minute, channel, queue, partition, sums in client.query(
        query, parameters=asked
    ).result_rows:
        named = dict(zip(measures, (int(one) for one in sums), strict=True))
        yield Publication(known_at, version, minute, channel, queue, partition, named)
