"""Apache Superset from PyPI imports our bundle, and every chart has the numbers of `ringback kpi`, drawn too.

Pictures of the dashboards in a real Chromium are kept in RINGBACK_PICTURES.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.embedded import credentials
from support.fetching import fetched, folder_of, printed

from bench.bi_data import fill
from bench.chromium import BROWSER, Tab, chromium
from cli.times import span_ms
from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port
from kpis.rules import DEFAULT_RULES
from reports.kpi.answer import Question, answer
from sinks.connection import connect
from sinks.views.statements import apply_views
from sql.migrate import migrations

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]
HERE = Path(__file__).parent
BUNDLE = HERE.parents[1] / "deploy" / "superset" / "ringback"
ZONE, DAYS = "Europe/Rome", ("2025-07-01", "2025-07-04")
# 6.1.0 names neither of the last three, and does not start without them.
START_LIMIT_S, DRAWN_LIMIT_S = 60, 60
LOG_IN = """(async () => {
    const csrf_token = document.querySelector('[name=csrf_token]').value;
    const body = new URLSearchParams({username: 'admin', password: 'admin', csrf_token});
    return (await fetch('/login/', {method: 'POST', body})).url;
})()"""
LOADING = ".loading, [data-test=loading-indicator]"
FAILED = "[data-test=error-message], .ant-alert-error, .missing-chart-container"
PACKAGES = (
    "apache-superset==6.1.0",
    "clickhouse-connect==1.12.0",
    "rich",
    "cachetools",
    "flask-caching==2.3.1",
)


@dataclass(frozen=True, slots=True)
class Superset:
    """Superset's programs, and a home with an account and our bundle."""

    folder: Path
    given: dict[str, str]
    said: tuple[dict[str, Any], ...]

    @property
    def boards(self) -> dict[str, dict[str, Any]]:
        return {item["dashboard"]: item for item in self.said if "dashboard" in item}

    @property
    def charts(self) -> dict[str, dict[str, Any]]:
        return {item["chart"]: item for item in self.said if "chart" in item}


def installed() -> tuple[Path, dict[str, str]]:
    """Superset in an environment of its own, with an account and nothing else in its home."""
    folder = folder_of("superset", {"superset_run.py": (HERE / "superset_run.py").read_text()})
    fetched(sys.executable, "-m", "venv", "v", folder=folder)
    fetched(
        str(folder / "v/bin/pip"), "install", "-q", "--disable-pip-version-check", *PACKAGES, folder=folder
    )
    given = {"SUPERSET_SECRET_KEY": "a" * 42, "SUPERSET_HOME": str(folder / "home"), "FLASK_APP": "superset"}
    (folder / "home").mkdir(exist_ok=True)
    set_up = " && ".join((
        "v/bin/superset db upgrade",
        "v/bin/superset fab create-admin --username admin --firstname A --lastname B --email a@b.example "
        "--password admin",
        "v/bin/superset init",
    ))  # fmt: skip
    variables = (f"{name}={value}" for name, value in given.items())
    fetched("env", *variables, "sh", "-c", set_up, folder=folder)
    return folder, given


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClickHouse]:
    started = LocalClickHouse(tmp_path_factory.mktemp("clickhouse"), free_port())
    started.start()
    client = connect(started.address)
    for statement in (text for migration in migrations() for text in migration.statements):
        client.command(statement)
    fill(client, 20_000)
    apply_views(client, DEFAULT_RULES, ZONE)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def superset(server: LocalClickHouse, tmp_path_factory: pytest.TempPathFactory) -> Superset:
    """Our bundle in a home of this run: an import leaves a connection of an earlier one as it is."""
    folder, given = installed()
    home = tmp_path_factory.mktemp("superset") / "home"
    shutil.copytree(folder / "home", home)
    given["SUPERSET_HOME"] = str(home)
    uri = f"clickhousedb://bi:XXXXXXXXXX@127.0.0.1:{server.port}/ringback"  # Superset puts the password in
    password = credentials(server, "bi")["X-ClickHouse-Key"]
    said = printed(
        "v/bin/python", "superset_run.py", str(BUNDLE), uri, password, *DAYS, folder=folder, **given
    )
    found = (json.loads(line) for line in said.splitlines() if line.startswith("{"))
    return Superset(folder, given, tuple(found))


def test_every_chart_answers(superset: Superset, server: LocalClickHouse) -> None:
    assert {title: board["charts"] for title, board in superset.boards.items()} == {
        "Ringback: operations": 11,
        "Ringback: quality and agents": 9,
    }
    charts = superset.charts
    assert len(charts) == 20
    assert not [item for item in charts.values() if item["error"]]
    question = Question(*span_ms(*DAYS, ZONE), "1d", ("queue",), ("offered", "service_level"), zone=ZONE)
    expected = answer(connect(server.address), question, DEFAULT_RULES)
    days = {(row["local_date"], row["queue"]): row for row in charts["Offered by day and queue"]["rows"]}
    # A local day of Rome begins in the evening before, by UTC: the days must be those of the clock.
    assert {day for day, _ in days} == {"2025-07-01", "2025-07-02", "2025-07-03"}
    assert sum(row["Offered"] for row in days.values()) == sum(
        row["kpis"]["offered"]["value"] for row in expected
    )
    (whole,) = charts["Service level, all queues"]["rows"]
    num, den = (sum(row["kpis"]["service_level"][term] for row in expected) for term in ("num", "den"))
    assert whole["Service level"] == pytest.approx(num / den)


@contextmanager
def pages(superset: Superset, log: Path) -> Iterator[str]:
    """The address of Superset's web server while it runs."""
    port = free_port()
    command = [str(superset.folder / "v/bin/superset"), "run", "-p", str(port), "--with-threads"]
    with log.open("w") as said:
        running = subprocess.Popen(
            command, cwd=superset.folder, env=os.environ | superset.given, stdout=said, stderr=said
        )
    try:
        wait_for_door(port, running)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(timeout=20)


def wait_for_door(port: int, running: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until:
        assert running.poll() is None, "Superset ended"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.2)
    raise AssertionError(f"Superset does not listen within {START_LIMIT_S} s")


async def drawn(tab: Tab, address: str, charts: int) -> str:
    """Open a dashboard, wait until all of it is there, and return its text."""
    await tab.open(address)
    await tab.until(f"document.querySelectorAll('.chart-container').length >= {charts}", DRAWN_LIMIT_S)
    await tab.until(f"!document.querySelector({LOADING!r})", DRAWN_LIMIT_S)
    assert not await tab.evaluate(f"document.querySelectorAll({FAILED!r}).length")
    return str(await tab.evaluate("document.body.innerText"))


async def test_dashboards_are_drawn(superset: Superset, tmp_path: Path) -> None:
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    folder = Path(os.environ.get("RINGBACK_PICTURES", tmp_path))
    texts = {}
    with pages(superset, tmp_path / "superset.log") as base:
        async with chromium(tmp_path / "profile") as new_tab:
            tab = await new_tab()
            await tab.screen(1600, 1700)
            await tab.open(f"{base}/login/")
            await tab.until("!!document.querySelector('[name=csrf_token]')", DRAWN_LIMIT_S)
            assert "/welcome" in await tab.evaluate(LOG_IN)
            for title, board in superset.boards.items():
                address = f"{base}/superset/dashboard/{board['id']}/"
                texts[title] = await drawn(tab, address, board["charts"])
                await asyncio.sleep(1.5)  # lines come with a movement
                await tab.picture(folder / f"superset-{title.split(': ')[1].replace(' ', '-')}.png")
    (offered,) = superset.charts["Offered, all queues"]["rows"]
    # Three days of them, as the filter of time has it, and not the whole year.
    assert f"{offered['Offered']:,}" in texts["Ringback: operations"].splitlines()
