"""`ringback alerts notify-test`: does a receiver get what it is sent?"""

from typing import Annotated

import typer

from alerts.ledger import Outgoing
from alerts.notify.post import Delivery, post
from alerts.notify.sender import deliver
from alerts.receivers import unread
from alerts.watching import body
from cli.alerting.files import Told, now_ms, receivers_in
from cli.console import NO, WRONG_USE, fail, out, settings


def notify_test(
    receiver: Annotated[str | None, typer.Argument(help="Name of a receiver; default: all of them.")] = None,
    receivers: Told = None,
) -> None:
    """Send a test alert to a receiver and its end, at once and once; status 1 where it is not taken.

    Example: ringback alerts notify-test oncall --receivers receivers.yaml
    """
    told = receivers_in(receivers, settings())
    wanted = [each for each in told.receivers if receiver in (None, each.name)]
    if not wanted:
        names = ", ".join(each.name for each in told.receivers) or "none"
        fail(f"no such receiver; there are: {names}. --receivers names their file", WRONG_USE)
    now, failed = now_ms(), False
    for each in wanted:
        for status in ("firing", "resolved"):
            text = body("a test of Ringback, nothing is wrong", now)
            text |= {"status": status, "alert": "RingbackTest", "episode": f"test-{now}"}
            outgoing = Outgoing(
                f"test-{now}-{status}-{each.name}", f"test-{now}", status, each.name, text, now, 1
            )
            try:
                done = deliver(each, outgoing, now // 1000, post)
            except (KeyError, OSError, ValueError) as error:
                done = Delivery("refused", unread(error))
            out.print(
                f"{each.name}, {status}: {done.outcome} {done.error}".rstrip(), highlight=False, markup=False
            )
            failed |= done.outcome != "sent"
    if failed:
        raise typer.Exit(NO)
