"""`ringback alerts retry`: notifications that were given up, once more."""

from typing import Annotated

import typer

from alerts.shared_retries import ask_again
from cli.alerting.files import now_ms, shared_ledger
from cli.alerting.listing import ledger_in
from cli.console import NO, fail, out, settings
from cli.printable import printable


def retry(
    notification: Annotated[
        str | None, typer.Argument(help="Its id, as `alerts list --problems` has it; default: all of them.")
    ] = None,
) -> None:
    """Try again what was given up, when its receiver takes messages again, as if it were new.

    The beginning of an alert that is over by now is not told any more, but dropped.

    An evaluator that runs in this data folder sends it, with RINGBACK_ALERT_LEDGER=kafka that of any machine.
    Status 1 where nothing was given up.

    Example: ringback alerts retry
    """
    config = settings()
    if config.alert_ledger == "kafka":
        with shared_ledger(config):
            number = ask_again(config.bootstrap_servers, notification)
    else:
        ledger = ledger_in(config)
        number = ledger.retry(notification, now_ms())
        ledger.close()
    if not number:
        named = "" if notification is None else f" of the id {printable(notification)}"
        fail(
            f"no notification{named} was given up, or what it is about is over by now; "
            "`ringback alerts list --problems` shows those that were",
            NO,
        )
    out.print(f"{number} to be tried again", highlight=False)
