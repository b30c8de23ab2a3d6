"""What commands that send events share: the sender, waiting until all is stored, and what to print."""

import logging
from dataclasses import asdict
from typing import Any

from aiokafka.errors import KafkaError
from rich.markup import escape

from adapters.sending.file_import import ImportResult
from adapters.sending.producer import EventSender
from cli.console import UNREACHABLE, Format, err, fail, out, print_json, waiting
from cli.settings import Settings
from cli.wire import ForgettingEncoder, encoder
from streams.health.group_lag import StillWaiting, wait_until_stored
from streams.kafka.forgotten import stored_ledger
from streams.kafka.topics import wait_for_topics

# Nothing applied or stored for this long: no worker or sink is running.
STILL_S = 60.0


def say(message: str) -> None:
    """Why nothing moves, on stderr."""
    err.print(f"[yellow]{escape(message)}[/]", highlight=False, soft_wrap=True)


async def open_sender(settings: Settings) -> EventSender:
    """A sender whose topics exist; waits for Kafka as long as it takes, and says so."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # we say it ourselves, in one line
    await wait_for_topics(settings.bootstrap_servers, settings.partitions, settings.replication)
    encode = ForgettingEncoder(encoder(settings), await stored_ledger(settings.bootstrap_servers))
    return EventSender(settings.bootstrap_servers, encode=encode, on_wait=say)


async def wait_stored(settings: Settings) -> None:
    """Wait until the stream has applied and the sink stored everything; ends the command if they do not."""
    with waiting("waiting until all is applied and stored"):
        try:
            await wait_until_stored(settings.bootstrap_servers, lambda _: None, STILL_S)
        except StillWaiting as error:
            fail(
                f"{error}. Everything is in Kafka and safe; start `ringback up` (or a worker and a sink) "
                "to have it applied, or use --no-wait",
                UNREACHABLE,
            )
        except (KafkaError, OSError) as error:
            fail(f"Kafka at {settings.bootstrap_servers} went away while waiting: {error}", UNREACHABLE)


def merged(results: list[ImportResult]) -> dict[str, int]:
    """Counts of several files together."""
    counts = [asdict(result) for result in results]
    names = ("sent", "duplicates", "dead_letters", "skipped", "contacts")
    return {name: sum(count[name] for count in counts) for name in names}


def print_counts(counts: dict[str, Any], format: Format) -> None:
    """Counts as one line, or as JSON."""
    if format is Format.json:
        print_json(counts)
    else:
        out.print(", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items()))
