"""`ringback alerts test`: rules against counts that are written down."""

from pathlib import Path
from typing import Annotated

import typer

from alerts.episodes import Episode
from alerts.fixtures import Expected, Trial
from alerts.rule_file import read_trials
from alerts.trial import Outcome, carried_out, meaningless
from cli.alerting.files import reading, rules_in
from cli.alerting.listing import labels_shown
from cli.alerting.queries import left_out
from cli.console import NO, out, settings
from cli.printable import printable
from cli.settings import rules_of
from kpis.catalogue.every_kpi import every_kpi

Tests = Annotated[Path, typer.Argument(help="File of tests: counts, and the episodes expected of them.")]
UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


def try_rules(file: Tests) -> None:
    """Do rules fire when they should, and only then? Needs no ClickHouse; status 1 where a test fails.

    Example: ringback alerts test docs/examples/alert-tests.yaml
    """
    config = settings()
    own = rules_of(config)
    kpis = every_kpi(own)
    with reading(file):
        found, refuse = read_trials(file)
        beside = None if found.rules is None else file.parent / found.rules
        rules = rules_in(beside, config, kpis)
        refuse(meaningless(found, rules, kpis))
    failed = 0
    for trial in found.tests:
        outcomes = carried_out(trial, rules, own, found.timezone)
        failed += bool(outcomes)
        out.print(
            f"{'FAILED' if outcomes else 'passed'}  {printable(trial.name)}", highlight=False, markup=False
        )
        for outcome in outcomes:
            print_outcome(trial, outcome)
    for line in (f"{len(found.tests)} tests, {failed} failed", *left_out(rules, "tried")):
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    if failed:
        raise typer.Exit(NO)


def print_outcome(trial: Trial, outcome: Outcome) -> None:
    """What was expected and what came."""
    when = "" if outcome.at is None else f"at {length(outcome.at)}, "
    lines = [f"{when}missing: {wanted(one)}" for one in outcome.missing]
    lines += [f"{when}unexpected: {came(one, trial.begin)}" for one in outcome.unexpected]
    for line in lines:
        out.print(f"        {line}", highlight=False, markup=False, soft_wrap=True)


def wanted(one: Expected) -> str:
    """An expected episode as it was written."""
    said = [one.alert, *(f"{name}={printable(value)}" for name, value in one.labels.items())]
    said += [f"fired {length(one.fired)}"] if one.fired is not None else []
    said += [f"ended {length(one.ended)}"] if one.ended is not None else []
    said += [str(each) for each in (one.ending, one.value) if each is not None]
    return " ".join(said + ([f"n={one.n}"] if one.n is not None else []))


def came(one: Episode, begin: int) -> str:
    """An episode in the same words."""
    ended = [] if one.ended_at is None else [f"ended {length(one.ended_at - begin)}"]
    labels = labels_shown(one.labels)
    ending = one.ending or "firing"
    said = [one.alert, *([labels] if labels else []), f"fired {length(one.fired_at - begin)}", *ended, ending]
    return " ".join([*said, one.value, f"n={one.seen.n}"])


def length(ms: int) -> str:
    """A duration as it is written in a file: 1h4m."""
    found = ""
    for unit, size in UNITS:
        number, ms = divmod(ms, size)
        found += f"{number}{unit}" if number else ""
    return found or "0s"
