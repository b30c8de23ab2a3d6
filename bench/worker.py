"""The whole worker: a real `ringback worker` on a real Kafka, counted from its output topic."""

from dataclasses import replace

import orjson

from bench.counted import latest, summed, verdict
from bench.events import Windows
from bench.group import Member, consume
from bench.meter import Outcome
from bench.stack import Stack
from schemas.topics import APP_ID, CONTACT_EVENTS, KPI_WINDOWS, PASSED_ON_TOPICS

WORKER = Member("worker", ("cli.main", "worker"), APP_ID, (CONTACT_EVENTS,), PASSED_ON_TOPICS)


async def windows(stack: Stack) -> Windows:
    """The KPI windows as published."""
    documents = map(orjson.loads, (await latest(stack.servers, KPI_WINDOWS, stack.partitions)).values())
    return summed(((d["window_start"], d["channel"], d["queue"]), d["measures"]) for d in documents)


async def measure(stack: Stack, truth: Windows) -> Outcome:
    """Consume contact-events from the beginning."""
    outcome = await consume(stack, WORKER)
    return replace(outcome, counted=verdict(await windows(stack), truth))
