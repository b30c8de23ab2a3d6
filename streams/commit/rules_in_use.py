"""By which rules a worker counts: told for each partition that it takes, so that others can compare."""

from collections.abc import Sequence

import orjson

from kpis.rules import Rules
from schemas.topics import RULES_IN_USE
from streams.kafka.record import KeyValue
from streams.kafka.writer import BatchWriter


def rules_record(partition: int, rules: Rules) -> KeyValue:
    """Key and value of a record for the topic rules-in-use; of each partition the latest holds."""
    return str(partition).encode(), orjson.dumps({"partition": partition, "rules": rules})


async def tell_rules(writer: BatchWriter, partitions: Sequence[int], rules: Rules) -> None:
    """Tell by which rules these partitions are counted from now on."""
    if partitions:
        await writer.write(RULES_IN_USE, 0, [rules_record(number, rules) for number in partitions])
