"""`ringback verify --every`: again and again on live data, with metrics."""

import re
import time
from collections.abc import Callable
from threading import Event
from wsgiref.simple_server import WSGIServer

import typer
from prometheus_client import CollectorRegistry, Gauge

from cli.metrics_server import serve_registry
from cli.port_offsets import VERIFY_PORT_OFFSET
from cli.settings import Settings
from reports.verification import Report
from schemas.time_units import DAY_MS, HOUR_MS, MINUTE_MS

SPAN = re.compile(r"([1-9]\d{0,4})([smhdw])")
UNITS = {"s": 1_000, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}


def duration_ms(text: str) -> int:
    """A time such as 15m, 1h, 7d or 1w. Raises typer.BadParameter."""
    found = SPAN.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text!r}: write a number and s, m, h, d or w, such as 1h or 7d")
    return int(found[1]) * UNITS[found[2]]


def last(text: str, now_ms: int) -> tuple[int, int]:
    """[from, to) of the last so much, in whole minutes."""
    end = now_ms // MINUTE_MS * MINUTE_MS
    return end - duration_ms(text), end


class Gauges:
    """What Prometheus sees of it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def gauge(name: str, help_: str) -> Gauge:
            return Gauge(f"ringback_verify_{name}", help_, registry=self.registry)

        self.differences = gauge("differences", "Differences that the last comparison found.")
        self.windows = gauge("windows", "Windows that the last comparison compared.")
        self.seconds = gauge("seconds", "How long the last comparison took.")
        self.compared = gauge("compared_timestamp_seconds", "When something was last compared, in Unix time.")
        self.failed = gauge("failed", "1 while the last attempt could not compare.")

    def serve(self, config: Settings) -> WSGIServer | None:
        """Serve them; says so where the port is taken, and goes on without."""
        return serve_registry(config, self.registry, VERIFY_PORT_OFFSET)

    def show(self, report: Report, seconds: float) -> None:
        """A comparison is done."""
        self.differences.set(report.differing)
        self.windows.set(report.windows)
        self.seconds.set(seconds)
        self.compared.set(time.time())
        self.failed.set(0)


def again_and_again(
    every_ms: int, once: Callable[[], Report], tell: Callable[[Report], None], gauges: Gauges, stop: Event
) -> bool:
    """Compare every so often until `stop`; True if no comparison found a difference."""
    agreed = True
    while True:
        begun = time.monotonic()
        try:
            report = once()
        except typer.Exit:  # said already: it could not be compared, and may be the next time
            gauges.failed.set(1)
        else:
            gauges.show(report, time.monotonic() - begun)
            agreed = agreed and report.agrees
            tell(report)
        if stop.wait(max(every_ms / 1000 - (time.monotonic() - begun), 0)):
            return agreed
