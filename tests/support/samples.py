"""Samples of sources: tests/samples/<name>/, made up by us, and beside each what it must give.

- `customers.txt`: raw identifiers of customers in the samples, one a line; nothing that is sent may hold one;
- `FILE`: a sample; of a source that tells states there are several, successive exports in the order of names;
- `FILE.events.jsonl`: its events, as `ringback adapter try` prints them with the key `samples`;
- `FILE.refused.txt`: "line reason" of each line that is refused; absent where none is.
"""

from collections.abc import Iterable
from pathlib import Path

from adapters.kit.contract import Identifiers, events_of, refused_of
from adapters.kit.event_lines import event_line
from adapters.kit.outcomes import LineOutcome
from adapters.kit.source import Source

FOLDER = Path(__file__).parents[1] / "samples"
SECRET = b"samples"
CUSTOMERS, EVENTS, REFUSED = "customers.txt", ".events.jsonl", ".refused.txt"


def samples(source: Source) -> list[Path]:
    """The samples of a source, in the order of their names."""
    files = sorted((FOLDER / source.name).iterdir()) if (FOLDER / source.name).is_dir() else []
    return [file for file in files if file.name != CUSTOMERS and not file.name.endswith((EVENTS, REFUSED))]


def customers(source: Source) -> list[str]:
    """Raw identifiers that stand in the samples of a source."""
    return (FOLDER / source.name / CUSTOMERS).read_text("utf-8").splitlines()


def identifiers(source: Source) -> Identifiers:
    """The same, to be looked for."""
    return Identifiers(customers(source))


def expected_events(sample: Path) -> bytes:
    """What a sample must give."""
    return sample.with_name(sample.name + EVENTS).read_bytes()


def expected_refused(sample: Path) -> list[str]:
    """What of a sample must be refused."""
    file = sample.with_name(sample.name + REFUSED)
    return file.read_text("utf-8").splitlines() if file.exists() else []


def event_lines(outcomes: Iterable[LineOutcome]) -> bytes:
    """Events in the form of the expected ones."""
    return b"".join(map(event_line, events_of(outcomes)))


def refused_lines(outcomes: Iterable[LineOutcome]) -> list[str]:
    """Refused lines in the form of the expected ones."""
    return [f"{letter.position} {letter.reason}" for letter in refused_of(outcomes)]
