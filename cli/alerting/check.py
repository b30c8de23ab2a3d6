"""`ringback alerts check`."""

from pathlib import Path

from alerts.receivers import secrets_missing
from alerts.sense import doubtful
from cli.alerting.estimated import estimated
from cli.alerting.files import DEFAULT, File, Told, receivers_in, rules_in
from cli.alerting.queries import NO_ANSWER, query_faults, unchecked
from cli.console import NO, WRONG_USE, fail, out, settings
from cli.settings import rules_of
from kpis.catalogue.every_kpi import every_kpi


def check(file: File = None, receivers: Told = None) -> None:
    """Are rule file and receivers well written, do they make sense, and are all secrets there?

    Status 2 with each fault and its line if not, 1 where a secret cannot be read here. Queries of `type: sql`
    are held against ClickHouse where one answers, which reads nothing; else it is said that they are not.

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
    for doubt in doubtful(found, told):
        out.print(f"perhaps wrong: {doubt}", highlight=False, markup=False)
    if missing := secrets_missing(told):
        fail("; ".join(missing), NO)
