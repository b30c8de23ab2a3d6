"""`ringback alerts check`."""

from alerts.receivers import secrets_missing
from alerts.sense import doubtful
from cli.alerting.estimated import estimated
from cli.alerting.files import DEFAULT, File, Told, receivers_in, rules_in
from cli.console import NO, fail, out, settings
from cli.settings import rules_of
from kpis.catalogue.every_kpi import every_kpi


def check(file: File = None, receivers: Told = None) -> None:
    """Are rule file and receivers well written, do they make sense, and are all secrets there?

    Status 2 with each fault and its line if not, 1 where a secret cannot be read here.

    Example: ringback alerts check rules.yaml --receivers receivers.yaml
    """
    config = settings()
    found, told = rules_in(file, config, every_kpi(rules_of(config))), receivers_in(receivers, config)
    number = sum(len(group.rules) for group in found.groups)
    name = file or config.alert_rules or DEFAULT
    out.print(f"{name}: {number} rules in {len(found.groups)} groups are in order", highlight=False)
    out.print(estimated(found, {}), highlight=False)
    if path := receivers or config.alert_receivers:
        out.print(f"{path}: {len(told.receivers)} receivers are in order", highlight=False)
    for doubt in doubtful(found, told):
        out.print(f"perhaps wrong: {doubt}", highlight=False, markup=False)
    if missing := secrets_missing(told):
        fail("; ".join(missing), NO)
