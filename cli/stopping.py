"""SIGINT and SIGTERM end what runs for ever, in good order."""

import asyncio
import signal


def stop_event() -> asyncio.Event:
    """An event that either of them sets."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
