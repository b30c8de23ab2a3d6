"""Schemas that a batch needs are fetched before it is decoded, off the loop: decoding itself never waits.

While the registry is away only what needs a schema waits. Heartbeats, signals and batches of other topics go
on, and nothing is begun that would have to be undone, so a worker can be stopped or lose its partitions.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Protocol

from schemas.confluent import RegistryUnreachable, SchemaIds, schema_ids
from streams.kafka.patience import Notice, patiently

Waiting = Callable[[str], AbstractContextManager[None]]
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
WAITING = "waiting for the schema registry"


class Registry(SchemaIds, Protocol):
    """A schema registry: what has been learnt of it is read without waiting."""

    @property
    def url(self) -> str:
        """Where it is, without a password."""

    def knows(self, schema_id: int) -> bool:
        """Is there nothing left to ask about an id?"""

    def learn(self, schema_id: int) -> None:
        """Ask once, blocking. Raises RegistryUnreachable (it passes), RegistryRefused (it does not)."""


class SchemaLookup:
    """What is still to be asked of a registry, and the asking. Without a registry there is never anything.

    `waiting` is entered, with the reason, while something is waited for.
    """

    def __init__(self, registry: Registry | None, waiting: Waiting | None = None) -> None:
        self.registry = registry
        self.waiting = waiting or nullcontext

    def missing(self, values: Iterable[bytes | None]) -> set[int]:
        """Ids to ask for before these values are decoded; one that has no schema is asked for each time."""
        if self.registry is None:
            return set()
        return {n for n in schema_ids(values) if not self.registry.knows(n)}

    async def fetch(self, ids: Iterable[int]) -> None:
        """Ask for schemas; returns when all are answered. Raises RegistryRefused."""
        for schema_id in sorted(ids):
            await self._ask(schema_id)

    async def _ask(self, schema_id: int) -> None:
        """Ask as soon as the registry answers, and say meanwhile what is waited for."""
        registry = self.registry
        if registry is None:
            return
        with ExitStack() as waiting:

            async def attempt() -> None:
                try:
                    await asyncio.to_thread(registry.learn, schema_id)
                except RegistryUnreachable:
                    if not notice.given:
                        waiting.enter_context(self.waiting(WAITING))
                    raise

            notice = Notice(WAITING, "the schema registry answers", url=registry.url)
            await patiently(attempt, RegistryUnreachable, notice, FIRST_WAIT_S, LONGEST_WAIT_S)
