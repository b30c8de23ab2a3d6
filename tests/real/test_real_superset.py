"""Apache Superset from PyPI imports our bundle and answers every chart with the numbers of `ringback kpi`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.embedded import credentials
from support.fetching import fetched, folder_of, printed

from bench.bi_data import fill
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
PACKAGES = (
    "apache-superset==6.1.0",
    "clickhouse-connect==1.12.0",
    "rich",
    "cachetools",
    "flask-caching==2.3.1",
)


@pytest.fixture(scope="module")
def superset() -> tuple[Path, dict[str, str]]:
    """Superset with an account, in an environment and a home of its own."""
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
def server(superset: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalClickHouse]:
    started = LocalClickHouse(tmp_path_factory.mktemp("superset"), free_port())
    started.start()
    client = connect(started.address)
    for statement in (text for migration in migrations() for text in migration.statements):
        client.command(statement)
    fill(client, 20_000)
    apply_views(client, DEFAULT_RULES, ZONE)
    yield started
    started.stop()


def test_every_chart_answers(superset: tuple[Path, dict[str, str]], server: LocalClickHouse) -> None:
    folder, given = superset
    uri = f"clickhousedb://bi:XXXXXXXXXX@127.0.0.1:{server.port}/ringback"  # Superset puts the password in
    password = credentials(server, "bi")["X-ClickHouse-Key"]
    said = printed(
        "v/bin/python", "superset_run.py", str(BUNDLE), uri, password, *DAYS, folder=folder, **given
    )
    found = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    boards = {item["dashboard"]: item["charts"] for item in found if "dashboard" in item}
    assert boards == {"Ringback: operations": 11, "Ringback: quality and agents": 9}
    charts: dict[str, dict[str, Any]] = {item["chart"]: item for item in found if "chart" in item}
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
