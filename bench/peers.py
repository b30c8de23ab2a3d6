"""`python -m bench.peers`: vanilla Faust, Quix Streams and the worker on the same events, in two orders."""

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import orjson

from bench import quix, vanilla, worker
from bench.events import Input, Windows, make, shuffled
from bench.meter import Outcome, told
from bench.stack import Stack, produce, stack
from bench.table import QUIX, QUIX_EXACTLY_ONCE, VANILLA, Rows, console, document, show
from simulator.deliveries import ORDERLY

EVENTS, SEED = 20_000, 7
Measure = Callable[[Stack, Windows], Coroutine[Any, Any, Outcome]]
PEERS: dict[str, Measure] = {
    VANILLA: vanilla.measure,
    QUIX: quix.measure,
    QUIX_EXACTLY_ONCE: lambda parts, truth: quix.measure(parts, truth, quix.EXACTLY_ONCE),
    "worker": worker.measure,
}


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help="events of each input (about)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


def inputs(events: int, seed: int) -> dict[str, Input]:
    """The same contacts twice: as they happened, and out of any order with duplicates and corrections."""
    return {
        "in order, each event once": make(events, seed, ORDERLY),
        "shuffled, 13 % doubled, 0.3 % corrected": shuffled(make(events, seed), seed),
    }


def compared(data: Input) -> Rows:
    """Each of them over the same topic of a Kafka of its own."""
    with stack() as parts:
        asyncio.run(produce(parts.servers, data.messages))

        def run(measure: Measure) -> Outcome:
            return asyncio.run(measure(parts, data.truth))

        return {name: told(name, lambda m=measure: run(m)) for name, measure in PEERS.items()}  # type: ignore[misc]


def main() -> None:
    """Measure and print."""
    wanted = options()
    documents = {}
    for order, data in inputs(wanted.events, wanted.seed).items():
        rows = compared(data)
        console().print(f"\n{order}\n", highlight=False)
        show(rows)
        documents[order] = document(rows)
    if wanted.json:
        wanted.json.write_bytes(orjson.dumps(documents, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
