"""`python -m bench.dimensions`: what each dimension of one's own costs the worker's core.

The same contacts without any, and with one to four on every beginning, as a source that knows brand and
language sends them; each applied (see `bench.apply`) in turn. The least of the rounds: noise only adds.
"""

import argparse
import gc
from collections.abc import Iterator

from bench.apply import CONFIG, Partition, batches
from bench.events import Input, Message, make
from bench.meter import Stopwatch
from schemas.codec import decode, encode
from schemas.events import ContactStarted

NAMES = ("brand", "language", "priority", "skill")
VALUES = ("north", "south", "east", "west", "centre")


def with_dimensions(messages: list[Message], count: int) -> Iterator[Message]:
    """The messages, so many dimensions on each contact_started."""
    for number, message in enumerate(messages):
        event = decode(message.value)
        if count and type(event) is ContactStarted:
            own = {name: VALUES[(number + at) % 5] for at, name in enumerate(NAMES[:count])}
            yield Message(message.key, encode(event.model_copy(update={"dimensions": own})))
        else:
            yield messages[number]


def cost(data: Input) -> tuple[float, float]:
    """Microseconds of CPU an event, bytes of state a contact."""
    work = list(batches(data))
    partitions = [Partition(number) for number in range(CONFIG.partitions)]
    with Stopwatch() as used:
        for number, records in work:
            partitions[number].apply(records)
    states = [state for partition in partitions for state in partition.contacts.values()]
    return used.cpu_s / len(data.messages) * 1e6, sum(map(len, states)) / len(states)


def main() -> None:
    """A line for each number of dimensions."""
    parser = argparse.ArgumentParser(prog="python -m bench.dimensions", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    plain = make(wanted.events, 7)
    inputs = [Input(list(with_dimensions(plain.messages, count)), plain.truth) for count in range(5)]
    gc.disable()  # it would look at some of the inputs and not at others
    found = [[cost(data) for data in inputs] for _ in range(wanted.rounds)]
    for count in range(len(inputs)):
        cpu, size = min(row[count] for row in found)
        print(f"{count} dimensions: {cpu:.1f} us CPU an event, {size:.0f} bytes of state a contact")


if __name__ == "__main__":
    main()
