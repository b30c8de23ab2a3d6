"""Every query of Grafana's dashboards on the real engine, its macros expanded as the plug-in does it."""

import json
import os
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from support.clickhouse import connect, load
from support.view_world import RULES, ms, query, recent_world
from support.worlds import random_contact

from docs.build import superset
from docs.build.grafana import DASHBOARDS, PERIODS
from kpis.catalogue.every_kpi import every_kpi
from reports.kpi.answer import Question, answer
from reports.monthly.page import page
from reports.monthly.pdf import pdf
from reports.monthly.report import month_before, monthly, next_month, question_of
from reports.monthly.workbook import workbook
from sinks.views.statements import apply_views

pytestmark = pytest.mark.stack
FOLDER = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards"
NOT_ASKED = {"Customer effort score", "Agent effort score"}  # surveys that these contacts have not
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
BEGIN = NOW - timedelta(days=60)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    opened = connect(tmp_path_factory.mktemp("dashboards") / "db")
    recent_world(opened)
    load(opened, random_contact(random.Random(1), "k"))
    # Somebody waits, and agents worked lately. Told from NOW, where the dashboards' range ends: these tests
    # may begin an hour after it.
    now = f"fromUnixTimestamp64Milli({ms(NOW)})"
    opened.command(
        "INSERT INTO legs (contact_id, leg, channel, queue, entered_at, offered, waiting, version) "
        f"VALUES ('w', 1, 'voice', 'A', {now} - 60, 1, 1, 1)"
    )
    opened.command(
        "INSERT INTO alert_transitions (alert, labels, kind, at, opened_at, episode, kpi, window_ms, "
        f"successes, n, version) SELECT 'low', map('queue', 'A'), kind, {now} - at, {now} - 30000, "
        "episode, 'service_level', 900000, 3, 10, 1 FROM values('kind String, at UInt32, episode String', "
        "('firing', 29000, 'over'), ('resolved', 28400, 'over'), ('firing', 3900, 'on'), "
        "('pending', 60, 'never'))"
    )
    apply_views(opened, RULES, "Europe/Rome")
    yield opened
    opened.close()


def expanded(sql: str, period: str, queues: list[str]) -> str:
    """A query as grafana-clickhouse-datasource sends it for the last 60 days."""
    begin, end = (round(moment.timestamp()) for moment in (BEGIN, NOW))
    text = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= toDateTime({begin}) AND \1 <= toDateTime({end})", sql)
    text = text.replace("${period}", period)
    # Grafana escapes the quote and no backslash: it cannot ask for a queue whose name has one.
    quoted = ("'" + queue.replace("'", "\\'") + "'" for queue in queues if "\\" not in queue)
    return text.replace("${queue:singlequote}", ",".join(quoted))


def panels(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))["panels"]
    return found


def queues_of(client: Client, name: str) -> list[str]:
    """What the variable `queue` offers."""
    listed = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))["templating"]["list"]
    queries = [item["query"] for item in listed if item["name"] == "queue"]
    return [row["queue"] for text in queries for row in query(client, text)]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_query_answers(client: Client, name: str) -> None:
    queues = queues_of(client, name)
    assert ("A" in queues) == (name not in ("alerts", "pipeline-health"))
    for number, panel in enumerate(panels(name)):
        sql = panel["targets"][0]["rawSql"]
        # One period each, all of them over the dashboards: planning them all takes too long here.
        text = expanded(sql, PERIODS[number % len(PERIODS)], queues)
        assert "$" not in text, text
        rows = query(client, text)
        assert rows, (panel["title"], text)
        shown = {column for column in rows[0] if column not in ("time", "series")}
        values = [row[column] for row in rows for column in shown]
        asked = any(value is not None for value in values)
        assert asked or panel["title"] in NOT_ASKED, (panel["title"], text)
        if panel["type"] == "timeseries":
            assert "time" in rows[0]
            assert panel["targets"][0]["queryType"] == "timeseries"
        if panel["type"] == "table":
            units = {item["matcher"]["options"] for item in panel["fieldConfig"]["overrides"]}
            assert units <= shown, panel["title"]


def test_alerts_are_told_as_they_were_decided(client: Client) -> None:
    """Of two episodes one is over, after ten minutes; a third never fired."""
    answers = {
        panel["title"]: query(client, expanded(panel["targets"][0]["rawSql"], "hour", []))
        for panel in panels("alerts")
    }
    assert answers["Firing now"] == [{"firing": 1}]
    assert answers["Fired"] == [{"fired": 2}]
    assert answers["Median time to the end"] == [{"median_s": 600}]
    (firing,) = answers["What fires now, the oldest first"]
    assert (firing["queue"], firing["successes"], firing["n"], firing["window_s"]) == ("A", 3, 10, 900)
    assert 3900 <= firing["firing_s"] < 29000
    (rule,) = answers["Rules"]
    assert (rule["alert"], rule["fired"], rule["firing"]) == ("low", 2, 1)
    episodes = [(row["episode"], row["state"]) for row in answers["Episodes, the latest first"]]
    assert episodes == [("on", "firing"), ("over", "resolved")]


def test_the_numbers_are_those_of_the_command(client: Client) -> None:
    """Over all queues and the whole range: sums divided by sums."""
    queues = queues_of(client, "operations")
    end = ms(NOW) + 3_600_000
    compared = 0
    for panel in panels("operations"):
        if panel["type"] != "stat":
            continue
        (row,) = query(client, expanded(panel["targets"][0]["rawSql"], "hour", queues))
        ((name, value),) = row.items()
        question = Question(ms(BEGIN), end, by=("queue",), kpis=(name,), as_of_ms=ms(NOW))
        found = [row["kpis"][name] for row in answer(client, question, RULES) if "\\" not in row["queue"]]
        num, den = (sum(item[term] for item in found) for term in ("num", "den"))
        assert value == pytest.approx(num if every_kpi(RULES)[name].unit == "count" else num / den), name
        assert every_kpi(RULES)[name].name == panel["title"]
        compared += bool(value)
    assert compared >= 5


def test_every_metric_of_the_superset_bundle_is_right(client: Client) -> None:
    for view, (time, dimensions) in superset.DATASETS.items():
        document = superset.dataset(view)
        assert len({metric["metric_name"] for metric in document["metrics"]}) == len(document["metrics"]) > 5
        columns = {row["name"] for row in query(client, f"DESCRIBE {view}")}
        assert {column["column_name"] for column in document["columns"]} == {time, *dimensions} <= columns
        expressions = ", ".join(f"{m['expression']} AS `{m['metric_name']}`" for m in document["metrics"])
        (found,) = query(client, f"SELECT {expressions} FROM {view}")
        assert sum(value is not None for value in found.values()) > len(found) / 2, view
    question = Question(ms(BEGIN), ms(NOW) + 86_400_000, kpis=("asa",), as_of_ms=ms(NOW))
    (line,) = answer(client, question, RULES)
    kpi = superset.KPIS["asa"]
    sql = f"SELECT {superset.metric(kpi)['expression']} AS asa FROM kpi_day"
    assert query(client, sql)[0]["asa"] * 1000 == pytest.approx(line["kpis"]["asa"]["value"])


def test_the_monthly_report_has_the_numbers_of_the_command(client: Client) -> None:
    month = NOW.date().replace(day=1)
    made = monthly(client, month, "Europe/Rome", RULES, {"service_level": 0.8}, ms(NOW))
    asked = question_of(month, "Europe/Rome", ms(NOW))
    (line,) = answer(client, asked, RULES)
    assert {shown.kpi.id: shown.value for shown in made.lines} == line["kpis"]
    (before,) = answer(client, question_of(month_before(month), "Europe/Rome", ms(NOW)), RULES)
    assert {shown.kpi.id: shown.before for shown in made.lines} == before["kpis"]
    assert sum(shown.value["value"] is not None for shown in made.lines) > 8
    offered = next(series for series in made.series if series.kpi.id == "offered")
    assert sum(filter(None, offered.values)) == line["kpis"]["offered"]["num"]
    assert sum(values["offered"]["num"] for _, values in made.queues) == line["kpis"]["offered"]["num"]
    assert len(offered.days) == (next_month(month) - month).days
    assert made.provisional
    folder = os.environ.get("RINGBACK_PICTURES")
    for ending, content in (("html", page(made).encode()), ("pdf", pdf(made)), ("xlsx", workbook(made))):
        if folder:
            (Path(folder) / f"report.{ending}").write_bytes(content)
        assert len(content) > 2_000


def test_panels_do_not_lie_on_each_other() -> None:
    for name in DASHBOARDS:
        taken: set[tuple[int, int]] = set()
        for panel in panels(name):
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, (name, panel["title"])
            assert max(x for x, _ in cells) < 24
            taken |= cells
