"""Which Kafka this is: its cluster and the topics of events in it, by the ids that Kafka gave them.

A cluster whose metadata were removed or damaged keeps its id and has empty topics of the same names, as has
one whose topics somebody deleted and made anew. aiokafka does not tell the ids of topics.
"""

from aiokafka.errors import KafkaConnectionError
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from schemas.brokers import librdkafka_settings
from schemas.topics import RAW_TOPICS

ANSWER_S = 10.0


def identity(bootstrap_servers: str) -> str:
    """`cluster/topic/topic`, which is kept beside what is made of the topics. Raises KafkaConnectionError."""
    admin = AdminClient(librdkafka_settings(bootstrap_servers) | {"log_level": 0})
    try:
        cluster = admin.describe_cluster(request_timeout=ANSWER_S).result()
        topics = admin.describe_topics(TopicCollection([*RAW_TOPICS]), request_timeout=ANSWER_S)
        ids = [topics[name].result().topic_id for name in RAW_TOPICS]
    except KafkaException as error:
        raise KafkaConnectionError(str(error.args[0])) from error
    return "/".join(map(str, (cluster.cluster_id, *ids)))


def cluster_of(known: str) -> str:
    """The cluster in an identity; version 0.1 kept no more than that."""
    return known.partition("/")[0]
