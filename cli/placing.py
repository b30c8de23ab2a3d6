"""What doctor and verify say of contacts in a wrong partition."""

from cli.settings import Settings
from schemas.codec import DecodeError, decode
from streams.kafka.placement import Found, Stray, look

# Of each partition, the latest: what producers do now.
LOOKED_AT = 5_000
NAMED = 5


def sources_of(strays: list[Stray]) -> list[str]:
    """The systems that wrote these records, as far as they can be read without a registry."""
    found: dict[str, None] = {}
    for stray in strays:
        try:
            found[decode(stray.value).source] = None
        except DecodeError:
            continue
    return list(found)[:NAMED]


def placing(found: Found) -> str:
    """What is in a wrong partition, and who wrote it; empty where all is right."""
    strays = found.strays()
    if not strays:
        return ""
    said = f"{len(strays):,} of the latest {found.records:,} records, {found.contacts:,} contacts"
    sources = sources_of(strays)
    if sources:
        said += f", from {', '.join(sources)}"
    if found.by_librdkafka:
        said += ", all where librdkafka puts them by default"
    return said


def split_contacts(found: Found) -> str:
    """Contacts in several partitions; empty where there is none. For topics with another partitioner."""
    return f"{found.split:,} contacts are in several partitions" if found.split else ""


async def wrongly_placed(config: Settings) -> str:
    """What is wrong with the partitions of the latest events, empty if nothing. Raises aiokafka's errors."""
    found = await look(config.bootstrap_servers, LOOKED_AT)
    return placing(found) if config.partitioner == "murmur2" else split_contacts(found)
