"""`python -m bench`: the figures of docs/operating/sizing.md, on real servers in a temporary folder."""

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path

import orjson

from bench import events, fcr, oracle, quix, sink, vanilla, worker
from bench.meter import Outcome, run, told
from bench.stack import Stack, produce, stack
from bench.table import CEILING, QUIX, VANILLA, Rows, document, show

EVENTS, VANILLA_EVENTS, SEED = 200_000, 20_000, 7
Step = tuple[str, Callable[[], Outcome]]


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help="events in all (about)")
    parser.add_argument(
        "--vanilla-events", type=int, default=VANILLA_EVENTS, help="events for the slow peers"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


def steps(parts: Stack, data: events.Input) -> list[Step]:
    """Everything but the slow peers, in the order it must run: the sink's raw events before the worker."""
    folder, servers = parts.folder, parts.servers
    return [
        ("decode", lambda: run("decode", folder)),
        ("fold", lambda: run("fold", folder)),
        ("apply (decode, fold, state)", lambda: run("apply", folder)),
        ("aiokafka alone", lambda: run("ceiling", folder, servers)),
        (CEILING, lambda: run("ceiling", folder, servers, "decode")),
        ("sink, raw events", lambda: asyncio.run(sink.raw_events(parts, data))),
        ("SQL oracle", lambda: asyncio.run(oracle.measure(parts, data))),
        ("worker", lambda: asyncio.run(worker.measure(parts, data.truth))),
        ("sink, facts and windows", lambda: asyncio.run(sink.outputs(parts, data.truth))),
    ]


def measured(wanted: argparse.Namespace) -> Rows:
    """All rows. The slow peers run while the topic holds the first part of the events alone."""
    first = events.make(wanted.vanilla_events, wanted.seed)
    rest = events.make(max(wanted.events - wanted.vanilla_events, 1), wanted.seed + 1)
    data = events.joined(first, rest)
    with stack() as parts:
        events.save(data, parts.folder)
        asyncio.run(produce(parts.servers, first.messages))
        rows = {VANILLA: told(VANILLA, lambda: asyncio.run(vanilla.measure(parts, first.truth)))}
        rows[QUIX] = told(QUIX, lambda: asyncio.run(quix.measure(parts, first.truth)))
        asyncio.run(produce(parts.servers, rest.messages))
        for name, measure in steps(parts, data):
            rows[name] = told(name, measure)
    rows |= told("FCR by SQL", fcr.measure)
    return rows


def main() -> None:
    """Measure and print."""
    wanted = options()
    rows = measured(wanted)
    show(rows)
    if wanted.json:
        wanted.json.write_bytes(orjson.dumps(document(rows), option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
