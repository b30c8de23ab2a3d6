"""Every KPI that Ringback publishes: one definition each (kpis/catalogue).

Views, `ringback kpi`, the JSON names and docs/reference/kpis.md are made from this.
"""

from kpis.catalogue.backlog import BACKLOG
from kpis.catalogue.callbacks import CALLBACKS
from kpis.catalogue.contacts import CONTACTS
from kpis.catalogue.handling import HANDLING, RESOLUTION
from kpis.catalogue.kpi import Kpi
from kpis.catalogue.offers import OFFERS
from kpis.catalogue.present import AGENTS, LIVE, STATES
from kpis.catalogue.queueing import VOLUME, WAIT
from kpis.catalogue.repeats import repeats
from kpis.catalogue.service import ABANDONMENT, SERVICE_LEVEL
from kpis.catalogue.surveys import SURVEYS
from kpis.rules import Rules


def every_kpi(rules: Rules) -> dict[str, Kpi]:
    """All KPIs by id, variants among them, for these rules."""
    kpis = (
        *VOLUME,
        *WAIT,
        *CALLBACKS,
        *CONTACTS,
        *OFFERS,
        *SERVICE_LEVEL,
        *ABANDONMENT,
        *HANDLING,
        *RESOLUTION,
        *repeats(rules.fcr),
        *SURVEYS,
        *AGENTS,
        *LIVE,
        *STATES,
        *BACKLOG,
    )
    return {kpi.id: kpi for kpi in kpis}
