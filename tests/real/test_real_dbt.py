"""dbt reads our source file and builds a model of it, whose numbers are those of `ringback kpi`."""

import json
import sys
from pathlib import Path

import pytest
from support.embedded import credentials
from support.fetching import fetched, folder_of, printed

from bench.bi_data import fill
from cli.times import span_ms
from deploy.local.clickhouse.process import LocalClickHouse
from deploy.local.ports import free_port
from docs.build.dbt import FILE, VIEWS
from kpis.rules import DEFAULT_RULES
from reports.kpi.answer import Question, answer
from sinks.connection import connect
from sinks.views.statements import apply_views
from sql.migrate import migrations

pytestmark = [pytest.mark.real, pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[2]
PACKAGES = ("dbt-core==1.10.23", "dbt-clickhouse==1.10.3")
ZONE, DAYS = "UTC", ("2025-07-01", "2025-07-02")
PROJECT = "name: p\nversion: '1.0'\nprofile: p\n"
PROFILE = """p: {target: t, outputs: {t: {type: clickhouse, host: 127.0.0.1, schema: models, user: default,
  port: "{{ env_var('CLICKHOUSE_PORT') | int }}", password: "{{ env_var('CLICKHOUSE_PASSWORD') }}"}}}
"""
MODEL = """{{ config(materialized='table') }}
SELECT queue, sum(service_level_num) AS num, sum(service_level_den) AS den
FROM {{ source('ringback', 'kpi_day') }} WHERE local_date = '2025-07-01' GROUP BY queue
"""


@pytest.fixture(scope="module")
def dbt() -> Path:
    """The program, in an environment of its own."""
    folder = folder_of("dbt", {})
    fetched(sys.executable, "-m", "venv", "v", folder=folder)
    fetched(
        str(folder / "v/bin/pip"), "install", "-q", "--disable-pip-version-check", *PACKAGES, folder=folder
    )
    return folder / "v/bin/dbt"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with our file in it."""
    models = tmp_path / "project" / "models"
    models.mkdir(parents=True)
    (models / "ringback.yml").write_text((ROOT / FILE).read_text("utf-8"), "utf-8")
    (models / "levels.sql").write_text(MODEL)
    (models.parent / "dbt_project.yml").write_text(PROJECT)
    (models.parent / "profiles.yml").write_text(PROFILE)
    return models.parent


def test_a_model_of_the_source_has_our_numbers(dbt: Path, project: Path, tmp_path: Path) -> None:
    server = LocalClickHouse(tmp_path / "c", free_port())
    server.start()
    try:
        client = connect(server.address)
        for statement in (text for migration in migrations() for text in migration.statements):
            client.command(statement)
        fill(client, 20_000)
        apply_views(client, DEFAULT_RULES, ZONE)
        given = {
            "CLICKHOUSE_PORT": str(server.port),
            "CLICKHOUSE_PASSWORD": credentials(server)["X-ClickHouse-Key"],
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }
        run = (str(dbt), "--quiet", "--no-use-colors")
        listed = printed(*run, "ls", "--resource-type", "source", folder=project, **given)
        assert {line.rpartition(".")[2] for line in listed.split()} == {*VIEWS}
        printed(*run, "run", folder=project, **given)
        manifest = json.loads((project / "target" / "manifest.json").read_text("utf-8"))
        day = manifest["sources"]["source.p.ringback.kpi_day"]
        rule = day["columns"]["service_level"]["config"]["meta"]["added_up"]
        made = {
            row[0]: row[1:] for row in client.query("SELECT queue, num, den FROM models.levels").result_rows
        }
        question = Question(*span_ms(*DAYS, ZONE), "1d", ("queue",), ("service_level",), zone=ZONE)
        found = {
            row["queue"]: row["kpis"]["service_level"] for row in answer(client, question, DEFAULT_RULES)
        }
        assert {queue: (level["num"], level["den"]) for queue, level in found.items()} == made
        (value,) = client.query(f"SELECT {rule} FROM kpi_day WHERE local_date = '2025-07-01'").result_rows[0]
        assert value == pytest.approx(
            sum(num for num, _ in made.values()) / sum(den for _, den in made.values())
        )
    finally:
        server.stop()
