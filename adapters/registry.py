"""Every source there is. A new one is a folder in adapters/, a line here, and samples in tests/samples/.

Made from it: the commands of `ringback import`, what `ringback adapter` knows, the table of sources in the
documents, and the contract suite (tests/contract), which every source must pass.
"""

from importlib import import_module

from adapters.kit.source import Source

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


SOURCES: tuple[Source, ...] = tuple(entry(folder) for folder in FOLDERS)


def source_of(name: str) -> Source:
    """The source of that name. Raises NoSuchSource."""
    for source in SOURCES:
        if source.name == name:
            return source
    raise NoSuchSource(f"no source {name!r}; there are {', '.join(FOLDERS)}")
