"""Payloads as a vendor may write them as well: each sample with one value written otherwise, read by itself.

What says the same must give the same events: an instant in another zone or with finer digits, an id as a
number or as a text. What says less (null, absent, empty) must not end in a fault of ours.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from support.samples import SECRET, samples

from adapters.kit.check import payloads_of, read_lines
from adapters.kit.contract import events_of, refused_of
from adapters.kit.event_lines import event_line
from adapters.kit.outcomes import WrongFile
from adapters.kit.source import Source
from adapters.registry import SOURCES

POSTED = [pytest.param(source, id=source.name) for source in SOURCES if source.adapter]
INDIA = timezone(timedelta(hours=5.5))
Path = tuple[str | int, ...]


def payloads(source: Source) -> Iterator[Any]:
    """The payloads of the samples that are JSON, and are understood."""
    for sample in samples(source):
        for line in payloads_of(source, sample):
            try:
                found = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            each = found if isinstance(found, list) else [found]
            yield from (one for one in each if isinstance(one, dict) and told(source, one)[0])


def told(source: Source, payload: Any) -> tuple[list[bytes], bool]:
    """The events of a payload, read by itself, and whether something of it was refused."""
    try:
        outcomes = [*read_lines(source.load_reader(), "variant", [orjson.dumps(payload)], SECRET)]
    except WrongFile:
        return [], True
    return sorted(map(event_line, events_of(outcomes))), bool(refused_of(outcomes))


def paths(value: Any, before: Path = ()) -> Iterator[tuple[Path, Any]]:
    """All places in a value, and what stands there."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inside:
        yield (*before, name), each
        yield from paths(each, (*before, name))


def changed(payload: Any, path: Path, value: Any, absent: bool = False) -> Any:
    """A copy with another value at a place."""
    copy = orjson.loads(orjson.dumps(payload))
    at = copy
    for name in path[:-1]:
        at = at[name]
    if absent:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return copy


def same(value: Any) -> Iterator[Any]:
    """Other ways to write a value that say the same."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and str(int(value)) == value:
        if len(value) < 16:
            yield int(value)
    elif isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return
        if at.tzinfo is not None:
            yield at.astimezone(INDIA).isoformat()
            yield f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
            yield f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}+0000"
    elif type(value) is int:
        yield str(value)


def places(source: Source) -> Iterator[tuple[Any, Path, Any]]:
    """Each place once, whatever numbers are in its path, in the first payload that has it."""
    seen = set()
    for payload in payloads(source):
        for path, value in paths(payload):
            kind = (tuple("" if isinstance(name, int) else name for name in path), type(value))
            if kind not in seen:
                seen.add(kind)
                yield payload, path, value


@pytest.mark.parametrize("source", POSTED)
def test_what_says_the_same_gives_the_same_events(source: Source) -> None:
    """A number as a text may be refused as well, but never be something else."""
    wrong = []
    for payload, path, value in places(source):
        expected = told(source, payload)
        for other in same(value):
            found = told(source, changed(payload, path, other))
            refused = isinstance(value, int) and found[1]
            if found != expected and not refused:
                wrong.append((path, value, other))
    assert wrong == []


@pytest.mark.parametrize("source", POSTED)
def test_what_says_less_is_no_fault_of_ours(source: Source) -> None:
    for payload, path, value in places(source):
        for other in (None, "", {}, [], {"a": 1}, [None], "Zürich – 東京 😀"):
            told(source, changed(payload, path, other))
        if isinstance(path[-1], str):
            told(source, changed(payload, path, value, absent=True))
