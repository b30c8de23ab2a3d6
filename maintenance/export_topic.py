"""Events of Kafka topics into files, one for each 200,000 offsets of a partition.

What is in a file may be deleted by a topic's retention: `ringback replay files` sends it again.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from maintenance.archive import Archive, Form, Held, write_events
from maintenance.export_stored import Exported
from maintenance.topic import Asked, Offsets, Part, TopicHistory
from schemas.topics import AGENT_EVENTS

FILE_OFFSETS = 200_000


def chunks(bounds: Offsets) -> Iterator[tuple[str, int, int, int]]:
    """Topic, partition and offsets, in parts that end at the same places every time."""
    for (topic, partition), (begin, end) in sorted(bounds.items()):
        while begin < end:
            until = min((begin // FILE_OFFSETS + 1) * FILE_OFFSETS, end)
            yield topic, partition, begin, until
            begin = until


def export_topic(
    history: TopicHistory, archive: Archive, form: Form, on_file: Callable[[Exported], None] = lambda _: None
) -> list[Exported]:
    """Write a file for each part that is not in the folder already.

    Raises TopicUnreadable, ClickHouseError (of the engine that writes Parquet), OSError.
    """
    done = []
    for topic, partition, begin, end in chunks(history.bounds()):
        stem = f"{topic}-p{partition}-{begin:012d}-"
        name = f"{stem}{end:012d}.{form}"
        there = name in archive.files and (archive.folder / name).exists()
        if not there:
            asked = Asked((topic,), (Part(partition, begin, end),))
            write_part(TopicHistory(history.servers, history.wire, asked, history.span), archive, form, name)
            for older in [file for file in archive.files if file.startswith(stem) and file < name]:
                archive.remove(older)  # the same part when it was not full yet
        done.append(Exported(name, archive.files[name].events, not there))
        on_file(done[-1])
    return done


def write_part(history: TopicHistory, archive: Archive, form: Form, name: str) -> None:
    """Write the events of a part of a partition once each; what is no event is left out."""
    found = (record.value for piece in history.pieces(None) for record in piece.records)
    canonicals = [*dict.fromkeys(found)]
    table = "agent_events" if history.asked.topics[0] == AGENT_EVENTS else "events"

    def make(path: Path) -> None:
        write_events(path, form, table, canonicals)

    archive.write(name, Held(len(canonicals)), make)
