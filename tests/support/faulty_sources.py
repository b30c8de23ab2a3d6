"""A made-up source that tells states, and readers of it with one fault each.

A line is `contact|customer|version|queue`; the greatest version of a contact says in which queue it is.
"""

import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from adapters.kit.lines import LineFile
from adapters.kit.outcomes import Accepted, InvalidInput, LineOutcome, WrongFile, build, reject
from adapters.kit.source import Source
from schemas.customer_key import customer_key
from schemas.events import Event

HEADER = b"contact|customer|version|queue"
CUSTOMER = "+49301234567"
LINES = (
    HEADER,
    b"c1|+49301234567|1|sales",
    b"c1|+49301234567|2|billing",
    b"c2|+49307654321|1|sales",
    b"c2|+49301234567|first|sales",
)
LONGER = (*LINES, b"c1|+49301234567|3|legal", b"c2|+49307654321|2|legal")
AT = 1_767_571_200_000
COUNTER = itertools.count()
Told = tuple[str, str, int, str]


@dataclass(frozen=True)
class Faults:
    """How a line is read; each test changes one thing."""

    event_id: Callable[[Told, int], str] = lambda told, number: f"{told[2]}-queued"
    occurred_at: Callable[[Told, int], int] = lambda told, number: AT + told[2] * 1_000
    reason: Callable[[Told], str] = lambda told: told[3]
    revision: Callable[[Told], int] = lambda told: told[2]
    code: Callable[[bytes], str] = lambda line: "bad_version"
    detail: Callable[[bytes], str] = lambda line: f"expected {HEADER.decode()}"
    payload: Callable[[bytes], bytes] = lambda line: line.split(b"|")[0]
    log: Callable[[bytes], object] = lambda line: None
    header: bool = True
    keep: bool = False


def events_of_line(told: Told, number: int, secret: bytes, faults: Faults) -> tuple[Event, ...]:
    """The contact as it is at that version (told again each time), and the queue it is in."""
    contact, customer, version, queue = told
    envelope = {"contact_id": contact, "source": "fake", "occurred_at": AT}
    key = customer_key(customer, secret)
    started = {"event_id": "started", "customer_key": key, "reason": faults.reason(told)}
    queued = {"event_id": faults.event_id(told, number), "occurred_at": faults.occurred_at(told, number)}
    return (
        build("contact_started", envelope | started | {"revision": faults.revision(told)}),
        build("contact_queued", envelope | queued | {"queue": queue, "leg": version}),
    )


def reader(faults: Faults) -> Callable[[LineFile, bytes], Iterator[LineOutcome]]:
    """A reader with these faults."""

    def read(file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
        lines = iter(file)
        header = next(lines, None)
        if faults.header and (header is None or header.data != HEADER):
            raise WrongFile(f"{file.name} is no list of contacts")
        for line in lines:
            faults.log(line.data)
            cells = line.data.decode("utf-8", "replace").split("|")
            if len(cells) != 4 or not cells[2].isdigit():
                refused = InvalidInput(faults.code(line.data), faults.detail(line.data))
                yield reject(file.name, line.number, refused, faults.payload(line.data), faults.keep)
                continue
            told = (cells[0], cells[1], int(cells[2]), cells[3])
            yield Accepted(line.number, events_of_line(told, line.number, secret, faults), 0)

    return read


def customers_of(line: bytes) -> tuple[str, ...]:
    """Raw identifiers of customers in a line."""
    cells = line.decode("utf-8", "replace").split("|")
    return (cells[1],) if len(cells) > 1 else ()


def first_detail(line: bytes) -> str:
    """A detail that repeats the line."""
    return line.decode("utf-8", "replace")


honest = reader(Faults())
ids_by_counter = reader(Faults(event_id=lambda told, number: str(next(COUNTER))))
ids_by_line = reader(Faults(event_id=lambda told, number: str(number)))
times_by_line = reader(Faults(occurred_at=lambda told, number: AT + number))
constant_revision = reader(Faults(revision=lambda told: 1))
falling_revision = reader(Faults(revision=lambda told: 100 - told[2]))
customer_in_event = reader(Faults(reason=lambda told: f"call of {told[1]}"))
digits_in_event = reader(Faults(event_id=lambda told, number: f"{told[1][1:]}-{told[2]}"))
customer_in_detail = reader(Faults(detail=first_detail))
customer_in_payload = reader(Faults(payload=lambda line: line, keep=True))
customer_in_log = reader(Faults(log=lambda line: structlog.get_logger().info("row", row=line.decode())))
customer_in_old_log = reader(Faults(log=lambda line: logging.getLogger("old").debug("row %s", line.decode())))
data_in_reason = reader(Faults(code=lambda line: f"bad version in {len(line)} bytes"))
any_header = reader(Faults(header=False))


def refuses_much(file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
    """Finds fault with every other line."""
    for number, outcome in enumerate(honest(file, secret)):
        refused = reject(file.name, number, InvalidInput("bad_day", "not today"), b"")
        yield refused if number % 2 else outcome


def ids_from_the_end(file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
    """Numbers events from the newest, which has number 0."""
    outcomes = [*honest(file, secret)]
    for place, outcome in enumerate(outcomes):
        if isinstance(outcome, Accepted):
            ids = {"event_id": f"{len(outcomes) - place}"}
            events = tuple(event.model_copy(update=ids) for event in outcome.events)
            yield Accepted(outcome.position, events[1:], 0)


def says_customer_in_refusal(file: LineFile, secret: bytes) -> Iterator[LineOutcome]:
    """Repeats the first line of a file it does not want."""
    first = next(iter(file)).data.decode("utf-8", "replace")
    raise WrongFile(f"{file.name} begins with {first}")
    yield


def source(reader_name: str, ordered: bool = False) -> Source:
    """The made-up source with one of the readers above."""
    return Source(
        name="fake",
        title="A list of contacts",
        reads="file",
        summary="A list.",
        example="ringback import fake list.txt",
        layout="four columns",
        reader=f"{__name__}:{reader_name}",
        customers=f"{__name__}:customers_of",
        gives=("contact_started", "contact_queued"),
        lacks=(),
        header_lines=1,
        ordered=ordered,
        snapshot=True,
    )
