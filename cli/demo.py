"""`ringback demo`: everything at once, on this machine, for some 90 seconds."""

import asyncio
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.alerting.files import LEDGER
from cli.alerting.watch import Watch
from cli.clickhouse import client
from cli.console import NO, err, out, settings
from cli.demo_correction import Correction, corrected, explained, lines
from cli.demo_gateway import gateway_of
from cli.demo_wallboard import Clock, hanging, has_browser, show
from cli.printable import printable
from cli.sending import open_sender
from cli.settings import rules_of
from cli.shown import shown
from cli.simulate import sender_to
from cli.stack import addresses, say, stack
from cli.verify import print_report
from cli.wallboard_settings import WallboardSettings
from deploy.local.ports import free_port, is_free
from reports.kpi.answer import Question, answer
from reports.verification import Report, compare
from schemas.time_units import DAY_MS, HOUR_MS, MINUTE_MS
from simulator.deliveries import Delivery, deliver
from simulator.dip import with_dip
from simulator.pace import paced
from simulator.simulation import Simulation
from streams.health.group_lag import wait_until_stored

SIMULATED_HOURS = 4
OPENING_HOUR_MS = 9 * HOUR_MS
REFRESH_S = 1.0
ALONE_S, BROWSER_S = 40, 90  # who looks at the wall wants to see it
# The group of the default rules that looks at calls, how near to closing it comes, and how long it may take.
GROUP, LAST_MS, ALERTS_LIMIT_S = "service", 5 * MINUTE_MS, 20.0
# KPI id -> heading: narrow, so that the board fits into 80 columns.
COLUMNS = {
    "offered": "offered",
    "answered": "answered",
    "abandoned": "lost",
    "service_level": "in SL",
    "asa": "ASA",
    "abandonment_rate": "lost %",
    "aht": "AHT",
}
Seconds = Annotated[
    int | None,
    typer.Option(min=5, max=3600, help="How long to simulate; default: 40, with a browser 90."),
]
Browser = Annotated[
    bool | None,
    typer.Option("--browser/--no-browser", help="Open the wallboard; default: where there is a screen."),
]
ByGateway = Annotated[bool, typer.Option("--gateway", help="Send over HTTP, through a gateway.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same contact centre.")]


def demo_settings(config: WallboardSettings, folder: Path) -> WallboardSettings:
    """A data folder of its own, and free ports where the usual ones are taken."""
    changes: dict[str, Any] = {"data_dir": folder}
    if not config.kafka_bootstrap_servers and not is_free(config.kafka_port):
        changes["kafka_port"] = free_port()
    if not config.clickhouse_url and not is_free(config.clickhouse_port):
        changes["clickhouse_port"] = free_port()
    return config.model_copy(update=changes)


def board(rows: list[dict[str, Any]], clock: str, sent: int) -> Table:
    """KPIs per queue."""
    title = f"simulated contact centre, {clock} - {sent:,} events sent"
    table = Table(title=title, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("queue", no_wrap=True)
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(Text(printable(row["queue"])), *(shown(row["kpis"][name]) for name in COLUMNS))
    return table


class Demo:
    """Sends a morning of a simulated contact centre and reads what comes out at the other end."""

    def __init__(
        self, config: WallboardSettings, seed: int, seconds: int, browser: bool, by_gateway: bool = False
    ) -> None:
        self.config = config
        self.browser = browser
        self.by_gateway = by_gateway
        self.seconds = seconds
        start_ms = int(time.time() * 1000) // DAY_MS * DAY_MS - DAY_MS + OPENING_HOUR_MS
        self.closing_ms = start_ms + SIMULATED_HOURS * HOUR_MS
        shape = with_dip(start_ms)
        self.simulation = Simulation(seed, shape, start_ms=start_ms, hours=SIMULATED_HOURS, cut=True)
        self.alerts = Watch(config.data_dir / LEDGER)
        self.clock = Clock(start_ms, self.closing_ms, seconds)
        self.correction = Correction(rules_of(config))
        self.question = Question(start_ms - DAY_MS, start_ms + 2 * DAY_MS, by=("queue",), kpis=tuple(COLUMNS))
        self.seed = seed
        self.sent = 0

    def deliveries(self) -> Iterator[Delivery]:
        """What arrives, in order; what is late beyond the closing hour arrives at closing, not much later."""
        for delivery in deliver(self.simulation.everything(), seed=self.seed):
            yield replace(delivery, at_ms=min(delivery.at_ms, self.closing_ms))

    async def send(self) -> None:
        """Send the events, sped up so that they fit into the time."""
        speed = SIMULATED_HOURS * 3600 / self.seconds
        async with (
            gateway_of(self.config, self.by_gateway) as address,
            await sender_to(address, self.config) as sender,
        ):
            self.clock.start()
            async for delivery in paced(self.deliveries(), speed=speed):
                self.correction.watch(delivery.event)
                await sender.send(delivery.event)
                self.sent += 1

    def rows(self) -> list[dict[str, Any]]:
        """KPIs as they stand in ClickHouse, of queues that have had contacts."""
        rows = answer(client(self.config), self.question, rules_of(self.config))
        return [row for row in rows if row["queue"] and row["kpis"]["offered"]["value"]]

    def table(self) -> Table:
        """The board of this moment."""
        clock = time.strftime("%H:%M", time.gmtime(self.simulation.now_ms / 1000))
        return board(self.rows(), clock, self.sent)

    async def show(self) -> None:
        """Send and show the board until all is sent, applied and stored."""
        sending = asyncio.create_task(self.send())
        with Live(console=out, refresh_per_second=2, transient=out.is_terminal) as live:
            while not sending.done():
                await asyncio.sleep(REFRESH_S)
                live.update(await asyncio.to_thread(self.table)) if out.is_terminal else None
                self.say_alerts()
            await sending
            await wait_until_stored(self.config.bootstrap_servers, lambda _: None, 60.0)
        await asyncio.to_thread(self.alerts.wait_for, GROUP, self.closing_ms - LAST_MS, ALERTS_LIMIT_S)
        self.say_alerts()
        out.print(await asyncio.to_thread(self.table))
        await self.correct()

    async def correct(self) -> None:
        """An event of the dip is told again as it really was; say what that changes, and why."""
        found = self.correction.chosen()
        if found is None:
            return
        told, queued_at = found
        right = corrected(told, queued_at)
        asked = (client(self.config), rules_of(self.config), queued_at, self.closing_ms, self.config.timezone)
        before = await asyncio.to_thread(explained, *asked)
        async with await open_sender(self.config) as sender:
            await sender.send(right)
        await wait_until_stored(self.config.bootstrap_servers, lambda _: None, 60.0)
        after = await asyncio.to_thread(explained, *asked)
        for line in lines(told, right, before, after):
            out.print(line, highlight=False, markup=False, soft_wrap=True)

    def say_alerts(self) -> None:
        """Alerts that have fired or are over since the last time."""
        for line in self.alerts.news():
            out.print(f"alert {line}", highlight=False, markup=False)

    def run(self) -> Report:
        """The whole demo; what verify found."""
        with hanging(self.config, self.clock) as address:
            show(address, self.browser)
            asyncio.run(self.show())
        say("recomputing every number from the raw events, by SQL ...")
        return compare(client(self.config), rules_of(self.config))


def demo(
    seconds: Seconds = None, seed: Seed = 1, browser: Browser = None, gateway: ByGateway = False
) -> None:
    """Local stack, a simulated contact centre, its wallboard, an alert, then verify and a clean stop.

    Needs nothing but Python. Example: ringback demo --seconds 60 --seed 7
    """
    began = time.monotonic()
    opens = has_browser() if browser is None else browser
    lasts_s = (BROWSER_S if opens else ALONE_S) if seconds is None else seconds
    with tempfile.TemporaryDirectory(prefix="ringback-demo-") as folder:
        config = demo_settings(settings(), Path(folder))
        say("starting Kafka, ClickHouse, a worker, a sink and alerts (45 MB to download the first time)")
        with stack(config, workers=1, clock="events") as supervisor:
            say(f"{addresses(config)} after {time.monotonic() - began:.1f} s")
            outcome: list[Report | BaseException] = []

            def work() -> None:
                try:
                    outcome.append(Demo(config, seed, lasts_s, opens, gateway).run())
                except BaseException as error:  # handed to the main thread, which watches the stack meanwhile
                    outcome.append(error)
                finally:
                    supervisor.request_stop()

            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            supervisor.run()
    finish(outcome, began)


def finish(outcome: list[Report | BaseException], began: float) -> None:
    """Say how it went; status 1 if a number differs."""
    if not outcome:
        err.print("stopped")
        raise typer.Exit(0)
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    print_report(outcome[0])
    say(f"done in {time.monotonic() - began:.0f} s; `ringback up` keeps it running for your events")
    if not outcome[0].agrees:
        raise typer.Exit(NO)
