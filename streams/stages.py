"""The stages of the stream, in the order that a contact passes them."""

from collections.abc import Callable

from schemas import topics
from streams.agents import Agents
from streams.apply import Decode
from streams.config import StreamConfig
from streams.contacts import Contacts
from streams.customers import Customers
from streams.stage import Kept, Stage


def build_stages(config: StreamConfig, decode: Decode, kept: Callable[[str], Kept]) -> list[Stage]:
    """All stages. `kept` gives the table of a name."""
    return [
        Contacts(
            kept(topics.CONTACTS_TABLE),
            kept(topics.WINDOWS_TABLE),
            decode,
            config.rules,
            config.partitions,
        ),
        Customers(kept(topics.CUSTOMERS_TABLE), kept(topics.FCR_TABLE), config.rules),
        Agents(kept(topics.AGENTS_TABLE), kept(topics.QUARTERS_TABLE), config.rules),
    ]
