"""`ringback alerts check`."""

from pathlib import Path
from typing import Annotated

import typer

from alerts.receivers import Receivers, secrets_missing
from alerts.sense import doubtful
from cli.alerting.estimated import estimated
from cli.alerting.files import DEFAULT, File, Told, receivers_in, rules_in
from cli.alerting.queries import NO_ANSWER, query_faults, unchecked
from cli.alerting.route_tree import hears, labels_in, tree_of
from cli.console import NO, WRONG_USE, fail, out, settings
from cli.printable import printable
from cli.settings import rules_of
from kpis.catalogue.every_kpi import every_kpi


def check(
    file: File = None,
    receivers: Told = None,
    route: Annotated[
        str | None,
        typer.Option(help="Say who hears of an alert with these labels, such as severity=page,queue=sales."),
    ] = None,
) -> None:
    """Are rule file and receivers well written, do they make sense, and are all secrets there?

    Status 2 with each fault and its line if not, 1 where a secret cannot be read here. Queries of `type: sql`
    are held against ClickHouse where one answers, which reads nothing; else it is said that they are not.
    A route tree is shown.

    Example: ringback alerts check rules.yaml --receivers receivers.yaml
    """
    config = settings()
    found, told = rules_in(file, config, every_kpi(rules_of(config))), receivers_in(receivers, config)
    number = sum(len(group.rules) for group in found.groups)
    name, asked = file or config.alert_rules or DEFAULT, ""
    try:
        if faults := [*query_faults(config, found, Path(name))]:
            fail("; ".join(faults), WRONG_USE)
    except NO_ANSWER:
        asked = unchecked(config, found)
    out.print(f"{name}: {number} rules in {len(found.groups)} groups are in order", highlight=False)
    out.print(estimated(found, {}), highlight=False)
    if asked:
        out.print(asked, highlight=False, markup=False, soft_wrap=True)
    if path := receivers or config.alert_receivers:
        out.print(f"{path}: {len(told.receivers)} receivers are in order", highlight=False)
    if told.route is not None:
        out.print(tree_of(told.route))
    if route is not None:
        say_who_hears(told, route)
    for doubt in doubtful(found, told):
        out.print(f"perhaps wrong: {doubt}", highlight=False, markup=False)
    if missing := secrets_missing(told):
        fail("; ".join(missing), NO)


def say_who_hears(told: Receivers, text: str) -> None:
    """Of an alert with some labels: its receivers; labels that are none end the command with status 2."""
    try:
        found = hears(told, labels_in(text))
    except ValueError as error:
        fail(str(error), WRONG_USE)
    for line in found or ["nobody; without --receivers there is nobody to hear it"]:
        out.print(f"of {printable(text)} hears {line}", highlight=False, markup=False)
