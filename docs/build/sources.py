"""The README's table of sources: what Ringback can read, and with which command."""

from dataclasses import dataclass

from docs.build.commands import paths
from docs.build.markdown import code, table

BEGIN = "<!-- sources: made by make docs -->"
END = "<!-- end -->"
IMPORT = "ringback import "


@dataclass(frozen=True, slots=True)
class Source:
    """A source as the README shows it; `page` is its page in docs/sources."""

    name: str
    what: str

    @property
    def command(self) -> str:
        """How it is imported."""
        return f"{IMPORT}{self.name}"

    @property
    def page(self) -> str:
        """Its page, seen from the README."""
        return f"docs/sources/{self.name}.md"


SOURCES = (
    Source("events", "Events as JSON lines, one object a line: the way in for a system of your own"),
    Source("bank", 'The call log "Anonymous Bank" of the Technion'),
    Source("servicenow", "The incident event log of ServiceNow that UCI publishes"),
)


def listing() -> str:
    """The table. Raises ValueError where a source has no command, or a command no source."""
    commands = {path for path in paths() if path.startswith(IMPORT)}
    if commands != {source.command for source in SOURCES}:
        raise ValueError(f"sources {[source.name for source in SOURCES]}, commands {sorted(commands)}")
    rows = [(source.what, code(source.command), f"[{source.name}]({source.page})") for source in SOURCES]
    rows.append(("Avro in Kafka, from a producer of yours", "none", "[sending](docs/guide/sending.md)"))
    return table(("Source", "Command", "More"), rows)


def with_sources(readme: str) -> str:
    """The README with its table of sources as it is today. Raises ValueError where it has no place for it."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"no {BEGIN} or no {END}")
    return f"{before}{begin}\n{listing()}\n{end}{after}"
