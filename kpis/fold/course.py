"""A contact over all its queues: how its waiting ended, and how long it was."""

from collections.abc import Sequence

from kpis.facts import LegFact


def wait_of(legs: Sequence[LegFact]) -> int | None:
    """Time in queues until the first agent, or until the end; None if a part of it is unknown.

    Only time in queues: what an IVR takes between two of them is no waiting, and neither is talk.
    """
    waited: int | None = None
    for leg in legs:
        if leg.offered:
            if leg.queue_ms is None:
                return None
            waited = (waited or 0) + leg.queue_ms
        if leg.handled:
            break
    return waited
