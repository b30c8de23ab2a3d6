"""The input: a seeded contact centre's events, late, doubled and out of order, and what they must come to."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import orjson

from schemas.codec import encode
from schemas.time_units import DAY_MS
from simulator.default import DEFAULT_SHAPE
from simulator.deliveries import Disorder, deliver
from simulator.shape import Shape
from simulator.simulation import START_MS, Simulation

LENGTHS = struct.Struct(">II")
EVENTS_PER_CONTACT = 5.5
YEAR_MS = 364 * DAY_MS

WindowKey = tuple[int, str, str]  # minute, channel, queue
Windows = dict[WindowKey, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Message:
    """Key and value of a Kafka record."""

    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Input:
    """Messages in the order they arrive, and the simulator's own account of them."""

    messages: list[Message]
    truth: Windows


def make(events: int, seed: int, disorder: Disorder | None = None, shape: Shape = DEFAULT_SHAPE) -> Input:
    """About so many events. Each seed has a year of its own: contact ids of two inputs never meet."""
    contacts = max(1, round(events / EVENTS_PER_CONTACT))
    simulation = Simulation(seed, shape, START_MS + seed % 50 * YEAR_MS, contacts=contacts)
    arrivals = (delivery.event for delivery in deliver(simulation.events(), disorder, seed))
    messages = [Message(event.contact_id.encode(), encode(event)) for event in arrivals]
    truth = {tuple(window): amounts for window, amounts in simulation.truth.windows().items()}
    return Input(messages, truth)  # type: ignore[arg-type]  # a NamedTuple of three is a tuple of three


def shuffled(data: Input, seed: int, doubled: float = 0.1) -> Input:
    """The same events in any order whatever, so many of them once more; the truth stays what it was."""
    rng = Random(f"shuffled {seed}")
    messages = data.messages + [message for message in data.messages if rng.random() < doubled]
    rng.shuffle(messages)
    return Input(messages, data.truth)


def joined(first: Input, second: Input) -> Input:
    """One input after the other; they share no window."""
    assert not first.truth.keys() & second.truth.keys()
    return Input(first.messages + second.messages, first.truth | second.truth)


def framed(messages: Iterable[Message]) -> Iterator[bytes]:
    for message in messages:
        yield LENGTHS.pack(len(message.key), len(message.value)) + message.key + message.value


def save(data: Input, folder: Path) -> None:
    """Write the input for the processes that are measured."""
    rows = [[*window, amounts] for window, amounts in data.truth.items()]
    (folder / "events.bin").write_bytes(b"".join(framed(data.messages)))
    (folder / "truth.json").write_bytes(orjson.dumps(rows))


def unframed(data: bytes) -> Iterator[Message]:
    position = 0
    while position < len(data):
        key, value = LENGTHS.unpack_from(data, position)
        middle = position + LENGTHS.size + key
        position = middle + value
        yield Message(data[middle - key : middle], data[middle:position])


def load(folder: Path) -> Input:
    """The input as it was saved."""
    rows = orjson.loads((folder / "truth.json").read_bytes())
    truth = {(start, channel, queue): amounts for start, channel, queue, amounts in rows}
    return Input(list(unframed((folder / "events.bin").read_bytes())), truth)
