"""Long computations in turns: the event loop has to answer in between, and says so by /health."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

Item = TypeVar("Item")
# Contacts take some 0.1 ms each: like this the loop is away for 50 ms.
AT_ONCE = 500


async def in_turns(items: Iterable[Item], at_once: int = AT_ONCE) -> AsyncIterator[Item]:
    """Items; after every so many of them others have their turn on the event loop."""
    for number, item in enumerate(items, 1):
        yield item
        if number % at_once == 0:
            await asyncio.sleep(0)
