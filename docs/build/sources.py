"""What documents say of sources, from adapters/registry.py: the README's table and the head of each page."""

from adapters.kit.source import Source
from adapters.registry import SOURCES, source_of

BEGIN = "<!-- sources: made by make docs -->"
PAGE_BEGIN = "<!-- source: made by make docs -->"
END = "<!-- end -->"
WAYS = {
    "file": "files, plain, gzip or zip, or standard input",
    "webhook": "what the system posts to a URL",
    "socket": "a connection to the system, kept open",
    "stream": "a stream that the system writes",
}


def command(source: Source) -> str:
    """How a source is read, as a table's cell."""
    return f"`ringback import {source.name}`" if source.reads == "file" else source.reads


def adapters_table() -> str:
    """The README's table of sources."""
    rows = [
        f"| {source.title} | {command(source)} | [{source.name}]({source.page}) |"
        for source in SOURCES
        if source.reads != "webhook" and not source.mapping
    ]
    posted = [source for source in SOURCES if source.reads == "webhook" and not source.mapping]
    surveys = [source.name for source in posted if source.gives == ("contact_surveyed",)]
    linked = ", ".join(f"[{each.name}]({each.page})" for each in posted if each.name not in surveys)
    rows.append(f"| What systems post to the gateway | webhook | {linked}; surveys: {', '.join(surveys)} |")
    mapped = sum(1 for source in SOURCES if source.mapping)
    rows.append(f"| {mapped} more, and yours, by [mapping](docs/guide/mappings.md) | webhook | |")
    rows.append("| Avro in Kafka, from a producer of yours | none | [sending](docs/guide/sending.md) |")
    return "\n".join(["| Source | Command | More |", "|---|---|---|", *rows])


def page_head(name: str) -> str:
    """The head of docs/sources/<name>.md: what it reads, how, what it gives and what stays null."""
    source = source_of(name)
    secrets = ", ".join(f"`{secret}`" for secret in source.secrets)
    blocks = [
        f"{source.title}. Reads {WAYS[source.reads]}: {source.layout}.",
        f"```\n{source.example}\n```",
        f"Needs {secrets}." if secrets else "",
        f"Gives {', '.join(f'`{type_}`' for type_ in source.gives)}.",
        "What it cannot know:",
        "\n".join(f"- {sentence}" for sentence in source.lacks),
    ]
    return "\n\n".join(block for block in blocks if block)


def between(text: str, begin: str, made: str) -> str:
    """The text with what stands between two markers made anew. Raises ValueError where they are missing."""
    before, found, rest = text.partition(begin)
    _, end, after = rest.partition(END)
    if not (found and end):
        raise ValueError(f"no {begin} or no {END}")
    return f"{before}{begin}\n{made}\n{end}{after}"


def with_sources(readme: str) -> str:
    """The README with its table of sources as it is today. Raises ValueError where it has no place for it."""
    return between(readme, BEGIN, adapters_table())


def with_head(name: str, page: str) -> str:
    """A source's page with its head as it is today. Raises ValueError where it has no place for it."""
    return between(page, PAGE_BEGIN, page_head(name))
