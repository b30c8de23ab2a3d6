"""`ringback alerts check`."""

from cli.alerting.estimated import estimated
from cli.alerting.files import DEFAULT, File, rules_in
from cli.console import out, settings
from cli.settings import rules_of
from kpis.catalogue.every_kpi import every_kpi


def check(file: File = None) -> None:
    """Is a rule file well written, and does it make sense? Status 2 with each fault and its line if not.

    Example: ringback alerts check rules.yaml
    """
    config = settings()
    found = rules_in(file, config, every_kpi(rules_of(config)))
    number = sum(len(group.rules) for group in found.groups)
    name = file or config.alert_rules or DEFAULT
    out.print(f"{name}: {number} rules in {len(found.groups)} groups are in order", highlight=False)
    out.print(estimated(found, {}), highlight=False)
