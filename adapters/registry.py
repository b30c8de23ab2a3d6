"""Every source there is. A new one is a folder in adapters/, a line here, and samples in tests/samples/; or a
mapping in adapters/mapping/shipped/, and samples.

Made from it: the commands of `ringback import`, what `ringback adapter` knows, the table of sources in the
documents, and the contract suite (tests/contract), which every source must pass.
"""

from collections.abc import Callable, Collection
from importlib import import_module
from pathlib import Path

from adapters.details import CHANNELS, TOLD_BY, Detail
from adapters.kit.source import Source
from adapters.mapping.source import SUFFIX, shipped, source_in

ANY = ("voice", "chat", "email", "messaging")  # channels of a source that is not on some alone
# In the order in which they are listed. Each folder has a source.py with its ENTRY.
FOLDERS = (
    "bank",
    "servicenow",
    "events",
    "asterisk",
    "asterisk_ami",
    "freeswitch",
    "call_records",
    "libredesk",
    "chatwoot",
    "zammad",
    "zendesk",
    "amazon_connect",
    "genesys",
    "twilio_taskrouter",
    "intercom",
    "delighted",
    "typeform",
    "surveymonkey",
    "qualtrics",
    "asknicely",
    "formbricks",
    "satismeter",
)


class NoSuchSource(LookupError):
    """There is no source of that name; the message lists those there are."""


def entry(folder: str) -> Source:
    """What a folder says of its source. Raises TypeError where it says nothing that can be used."""
    found = import_module(f"adapters.{folder}.source").ENTRY
    if not isinstance(found, Source) or found.name != folder:
        raise TypeError(f"adapters/{folder}/source.py: ENTRY must be a Source with the name {folder!r}")
    return found


SOURCES: tuple[Source, ...] = (*map(entry, FOLDERS), *shipped())


def sources_with(folder: Path | None) -> tuple[Source, ...]:
    """Every source, and those of the mappings in a folder; one there replaces a shipped one of its name.

    Raises BadMapping, OSError.
    """
    own = [source_in(path) for path in sorted(folder.glob(f"*{SUFFIX}"))] if folder else []
    names = {source.name for source in own}
    return (*(source for source in SOURCES if source.name not in names), *own)


def source_of(name: str) -> Source:
    """The source of that name, or that of a mapping by its file. Raises NoSuchSource, BadMapping, OSError."""
    if name.endswith(SUFFIX):
        return source_in(Path(name))
    for source in SOURCES:
        if source.name == name:
            return source
    raise NoSuchSource(f"no source {name!r}; there are {', '.join(s.name for s in SOURCES)}")


def able(types: Collection[str], details: Collection[Detail], on: Callable[[str], bool]) -> list[str]:
    """Names of the sources that tell of these types of events, with these details, on such channels."""
    return [
        source.name
        for source in SOURCES
        if {*types} <= {*source.gives}
        and any(on(channel) for channel in CHANNELS.get(source.name, ANY))
        and all(source.name == "events" or source.name in TOLD_BY[detail] for detail in details)
    ]
