"""What one request, and all of them together, may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request, and all of them together, may take."""

    body_max_bytes: int = 1_000_000
    events_max: int = 10_000  # of one request
    requests_max: int = 200  # that are answered at the same time
    source_requests_max: int = 150  # of one source among them, so that none keeps out the others
    rate_max: int = 2_000  # requests a second of one source
    body_limit_s: float = 10.0  # until a body has arrived
    acknowledged_limit_s: float = 10.0  # until Kafka has acknowledged
    spool_after_s: float = 1.0  # until an event goes to the spool instead, where there is one
    spool_max_bytes: int = 1_000_000_000


DEFAULTS = Limits()
