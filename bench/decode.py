"""Decode: Avro single-object bytes to a validated event and its canonical bytes, as worker and sink do it."""

import sys
from pathlib import Path

from bench.counted import share
from bench.events import load
from bench.meter import Stopwatch
from streams.kafka.decoding import decode_single_object


def main(folder: Path) -> None:
    """Decode all events, keep none."""
    messages, right = load(folder).messages, 0
    with Stopwatch() as used:
        for message in messages:
            _, canonical = decode_single_object(message.value)
            right += canonical == message.value
    used.report(len(messages), share(right, len(messages), "events"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
