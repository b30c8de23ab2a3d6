"""Run by Superset's own Python: imports the bundle, asks every chart as a browser does, prints the answers.

superset_run.py BUNDLE CLICKHOUSE_URI PASSWORD FROM TO

FROM and TO are the range of days that the dashboards begin with, too.
"""

import json
import sys
from pathlib import Path
from typing import Any

from superset.app import create_app

FOLDER, URI, PASSWORD, BEGIN, END = sys.argv[1:]
RANGE = "Last month"  # as docs/build/superset_filters.py has it
app = create_app()


def contents() -> dict[str, str]:
    """Files of the bundle by name; the connection is the test's."""
    root = Path(FOLDER)
    found = {str(path.relative_to(root)): path.read_text("utf-8") for path in root.rglob("*.yaml")}
    name = "databases/Ringback.yaml"
    document = json.loads(found[name])
    document["sqlalchemy_uri"] = URI
    # What is stored here is of another year than the month before this day.
    boards = {
        path: text.replace(RANGE, f"{BEGIN} : {END}") for path, text in found.items() if "dashboards/" in path
    }
    assert boards
    assert all(BEGIN in text for text in boards.values())
    return found | boards | {name: json.dumps(document)}


def query_of(params: dict[str, Any]) -> dict[str, Any]:
    """What the browser makes of a chart's form."""
    metrics = params.get("metrics") or [params["metric"]]
    time = params["adhoc_filters"][0]["subject"]
    columns = list(params.get("groupby", []))
    if "x_axis" in params:
        columns.insert(0, params["x_axis"])
    return {
        "columns": columns,
        "metrics": metrics,
        "filters": [{"col": time, "op": "TEMPORAL_RANGE", "val": f"{BEGIN} : {END}"}],
        "row_limit": 10_000,
    }


with app.app_context():
    from flask import g
    from superset import db, security_manager
    from superset.commands.dashboard.importers.v1 import ImportDashboardsCommand
    from superset.common.query_context_factory import QueryContextFactory
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    g.user = security_manager.find_user("admin")
    passwords = {"databases/Ringback.yaml": PASSWORD}
    ImportDashboardsCommand(contents(), overwrite=True, passwords=passwords).run()
    for board in db.session.query(Dashboard).order_by(Dashboard.dashboard_title):
        print(json.dumps({"dashboard": board.dashboard_title, "charts": len(board.slices), "id": board.id}))
    for item in db.session.query(Slice).order_by(Slice.slice_name):
        source = {"id": item.datasource_id, "type": "table"}
        with app.test_request_context():
            g.user = security_manager.find_user("admin")
            context = QueryContextFactory().create(
                datasource=source, queries=[query_of(json.loads(item.params))]
            )
            (answer,) = context.get_payload(force_cached=False)["queries"]
        said = {"chart": item.slice_name, "error": answer.get("error"), "rows": answer.get("data")}
        print(json.dumps(said, default=str))
