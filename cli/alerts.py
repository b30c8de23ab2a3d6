"""`ringback alerts`: rules for KPI dips, checked, tried on history, and run."""

import typer

from cli.alerting.backtest import backtest
from cli.alerting.check import check
from cli.alerting.explaining import explain_episode
from cli.alerting.listing import list_changes
from cli.alerting.notify_test import notify_test
from cli.alerting.retrying import retry
from cli.alerting.run import run
from cli.alerting.schema import schema
from cli.alerting.silencing import app as silencing
from cli.alerting.trying import try_rules
from cli.alerting.verifying import verify_alerts

app = typer.Typer(no_args_is_help=True, help="Rules for KPI dips: check them, try them on history, run them.")
app.command()(check)
app.command()(backtest)
app.command()(run)
app.command()(schema)
app.command("list")(list_changes)
app.command("notify-test")(notify_test)
app.add_typer(silencing, name="silence")
app.command("explain")(explain_episode)
app.command("verify")(verify_alerts)
app.command("test")(try_rules)
app.command()(retry)
