"""Which Kafka a ClickHouse belongs to: kept there at the first start of a sink, compared at every other.

Versions of rows come from offsets, so rows of another Kafka, or of one that was emptied, would lose against
those that are there. And a ClickHouse that was emptied gets nothing of what its group has committed.
"""

from collections.abc import Mapping

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from clickhouse_connect.driver.client import Client

from schemas.topics import SINK_GROUP
from streams.health.group_lag import OffsetReader
from streams.kafka.connecting import aiokafka_settings
from streams.kafka.identity import cluster_of

log = structlog.get_logger()
KNOWN = "SELECT cluster_id FROM kafka_clusters FINAL ORDER BY bound_at"
# Tables that the first rows go to, whatever is read first.
ROWS = """SELECT (SELECT count() FROM events) + (SELECT count() FROM agent_events)
    + (SELECT count() FROM dead_letters) + (SELECT count() FROM kpi_windows)
    + (SELECT count() FROM contacts)"""


def other_kafka(known: list[str], kafka: str) -> str:
    """What is said where the rows come from another Kafka, and what to do."""
    clusters, cluster = {cluster_of(one) for one in known}, cluster_of(kafka)
    found = "one whose topics of events were made anew since" if cluster in clusters else f"cluster {cluster}"
    return (
        f"the rows in ClickHouse come from Kafka cluster {', '.join(sorted(clusters))}, but this is {found}: "
        "mixed they would give wrong numbers. Was Kafka's folder removed, emptied or damaged, were topics "
        "deleted, or does KAFKA_BOOTSTRAP_SERVERS or CLICKHOUSE_URL name another one? Restore Kafka's data "
        "from a backup, or fill this one by `ringback restore kafka`; name those that belong together; or "
        "take an empty database (for the local stack: another RINGBACK_DATA_DIR) and import again"
    )


def fits(known: list[str], kafka: str) -> bool:
    """Are rows of these Kafkas rows of this one? Version 0.1 kept the cluster alone."""
    exact = [one for one in known if one != cluster_of(one)]
    return kafka in exact if exact else cluster_of(kafka) in known


def known_clusters(client: Client) -> list[str]:
    """The Kafkas (streams.kafka.identity) whose rows are here; none in a database of before or empty."""
    return [row[0] for row in client.query(KNOWN).result_rows]


def mismatch(client: Client, kafka: str) -> str | None:
    """What is to be said where the rows come from another Kafka; None where they do not."""
    known = known_clusters(client)
    return other_kafka(known, kafka) if known and not fits(known, kafka) else None


def is_new(client: Client, kafka: str) -> bool:
    """Is nothing in here yet, of this Kafka or of a version that kept no id?"""
    return not fits(known_clusters(client), kafka) and not int(client.query(ROWS).result_rows[0][0])


def bind(client: Client, kafka: str) -> None:
    """Keep which one it is."""
    if kafka not in known_clusters(client):
        client.insert("kafka_clusters", [[kafka]], column_names=["cluster_id"])


async def read_all_again(bootstrap_servers: str) -> None:
    """Of an empty ClickHouse: the group goes back to where every topic begins, if it was further already.

    Topics of events are kept for ever, and the others hold the last record of every key. Raises KafkaError,
    also where another sink of the group is at work.
    """
    async with OffsetReader(bootstrap_servers) as watch:
        committed = {where: at for where, at in (await watch.committed(SINK_GROUP)).items() if at > 0}
    if not committed:
        return
    log.warning("ClickHouse is empty, although a sink has filled one before: everything is read again")
    await put_back(bootstrap_servers, dict.fromkeys(committed, 0))


async def put_back(bootstrap_servers: str, positions: Mapping[tuple[str, int], int]) -> None:
    """The group goes on at these places. Raises KafkaError, also where a sink of it is at work."""
    if not positions:
        return
    consumer = AIOKafkaConsumer(
        **aiokafka_settings(bootstrap_servers), group_id=SINK_GROUP, enable_auto_commit=False
    )
    await consumer.start()
    try:
        partitions = {TopicPartition(*where): offset for where, offset in positions.items()}
        consumer.assign(list(partitions))
        await consumer.commit(partitions)
    finally:
        await consumer.stop()
