"""The stages of the stream, in the order that a contact passes them."""

from collections.abc import Callable

from schemas import topics
from streams.config import StreamConfig
from streams.kafka.decoding import Wire
from streams.stages.agents.stage import Agents
from streams.stages.contacts.stage import Contacts
from streams.stages.customers.stage import Customers
from streams.stages.stage import Stage
from streams.state.table import Table


def build_stages(config: StreamConfig, wire: Wire, kept: Callable[[str], Table]) -> list[Stage]:
    """All stages. `kept` gives the table of a name."""
    return [
        Contacts(
            kept(topics.CONTACTS_TABLE),
            kept(topics.WINDOWS_TABLE),
            wire.decode,
            config.rules,
            config.partitions,
            config.partitioner,
        ),
        Customers(kept(topics.CUSTOMERS_TABLE), kept(topics.FCR_TABLE), config.rules, wire.forgotten),
        Agents(kept(topics.AGENTS_TABLE), kept(topics.QUARTERS_TABLE), config.rules),
    ]
