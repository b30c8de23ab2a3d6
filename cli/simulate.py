"""`ringback simulate`: a simulated contact centre whose truth is known."""

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from adapters.sending.producer import EventSender, NotSent
from cli.console import UNREACHABLE, WRONG_USE, Format, fail, settings
from cli.gateway_sender import GatewaySender
from cli.sending import open_sender, print_counts, wait_stored
from cli.settings import Settings
from simulator.deliveries import deliver
from simulator.pace import paced
from simulator.simulation import Simulation

Seed = Annotated[int, typer.Option(help="The same seed gives the same events.")]
Contacts = Annotated[int | None, typer.Option(min=1, help="Stop after so many contacts (default 1000).")]
Rate = Annotated[float | None, typer.Option(min=0.1, help="Events per second, until Ctrl-C.")]
Gateway = Annotated[
    str | None,
    typer.Option(
        help="Send to a gateway at this address instead of Kafka, with the token in RINGBACK_GATEWAY_TOKEN."
    ),
]
TruthFile = Annotated[Path | None, typer.Option(help="Write what the KPIs must come to, as JSON.")]


# Events that are sent beside those of contacts, to topics of their own.
BESIDE = {"agent_state_changed": "agent_states", "source_heartbeat": "heartbeats"}


def truth_document(simulation: Simulation, seed: int, counts: dict[str, int]) -> dict[str, Any]:
    """What the simulator knows from its own bookkeeping, and how much was sent."""
    truth = simulation.truth
    return {
        "seed": seed,
        "contacts": simulation.contacts,
        "sent": counts,
        "totals": truth.totals(),
        "windows": truth.rows(),
    }


async def sender_to(gateway: str | None, config: Settings) -> EventSender | GatewaySender:
    """What takes the events: Kafka, or a gateway at an address."""
    if gateway is None:
        return await open_sender(config)
    return GatewaySender(gateway, os.environ.get("RINGBACK_GATEWAY_TOKEN"))


async def send_all(
    simulation: Simulation, seed: int, rate: float | None, wait: bool, gateway: str | None
) -> dict[str, int]:
    """Send the deliveries of a simulation; their numbers, repetitions included."""
    config, counts = settings(), Counter(dict.fromkeys(("contact_events", *BESIDE.values()), 0))
    async with await sender_to(gateway, config) as sender:
        async for delivery in paced(deliver(simulation.everything(), seed=seed), rate=rate):
            await sender.send(delivery.event)
            counts[BESIDE.get(delivery.event.type, "contact_events")] += 1
    if wait:
        await wait_stored(config)
    return dict(counts)


def must_be_writable(path: Path) -> None:
    """End the command, before anything is sent, where a file could not be written."""
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        fail(f"{path} cannot be written: is it a file in a folder that is there and yours?", WRONG_USE)


def simulate(
    seed: Seed = 0,
    contacts: Contacts = None,
    rate: Rate = None,
    truth: TruthFile = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all is stored.")] = True,
    gateway: Gateway = None,
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.text,
) -> None:
    """Send a simulated contact centre: duplicates, late and out-of-order events included.

    `sent` are events of contacts; those of agents and heartbeats are counted beside them.

    Example: ringback simulate --seed 7 --contacts 20000 --truth truth.json
    """
    if contacts is not None and rate is not None:
        raise typer.BadParameter("--contacts sends so many and ends, --rate sends until Ctrl-C: give one")
    if truth is not None:
        must_be_writable(truth)
    simulation = Simulation(seed, contacts=None if rate else contacts or 1000)
    try:
        counts = asyncio.run(send_all(simulation, seed, rate, wait, gateway))
    except NotSent as error:
        fail(str(error), UNREACHABLE)
    if truth is not None:
        truth.write_bytes(orjson.dumps(truth_document(simulation, seed, counts), option=orjson.OPT_INDENT_2))
    sent = counts.pop("contact_events")
    print_counts({"sent": sent, "contacts": simulation.contacts, **counts}, format)
