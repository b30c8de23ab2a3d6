"""KPIs of repeat contacts and first contact resolution (docs/facts.md 8), for each length of the window."""

from dataclasses import replace
from functools import cache

from kpis.catalogue.kpi import SPEC, Kpi
from kpis.rules import FcrRules

METRICNET = "MetricNet gross and net FCR"
COVERAGE = Kpi("fcr_coverage", "FCR coverage", "ratio", "contact", "ended",
        "Handled inbound contacts whose customer is known, of all: what FCR can be judged of.", SPEC,
        {"ended_known": 1}, {"ended_judgeable": 1})  # fmt: skip

JUDGED = (
    Kpi("fcr_gross", "First contact resolution, gross", "ratio", "anchor", "ended",
        "Resolved without the customer coming back within the window; only of contacts whose window has passed.",
        METRICNET, {"anchors": 1, "failed": -1}, {"anchors": 1}, table="fcr", maturity="final"),
    Kpi("fcr_gross_provisional", "First contact resolution, gross, provisional", "ratio", "anchor", "ended",
        "Not failed so far, of all contacts: an upper bound that falls until the window has passed.",
        SPEC, {"anchors": 1, "failed": -1}, {"anchors": 1}, table="fcr", maturity="all"),
    Kpi("fcr_pending", "First contact resolution, pending", "count", "anchor", "ended",
        "Contacts that have not failed and whose window has not passed.",
        SPEC, {"anchors": 1, "failed": -1}, table="fcr", maturity="pending"),
    Kpi("fcr_net", "First contact resolution, net", "ratio", "anchor", "ended",
        "As gross, only of contacts that the first level can resolve.", METRICNET,
        {"anchors_level1": 1, "failed_level1": -1}, {"anchors_level1": 1}, table="fcr", maturity="final"),
    Kpi("fpr", "First point resolution", "ratio", "anchor", "ended",
        "Resolved at first contact without a transfer.", "LimeBridge first point resolution",
        {"one_stop": 1}, {"anchors": 1}, table="fcr", maturity="final"),
    Kpi("one_and_done_rate", "One and done", "ratio", "anchor", "ended",
        "Chains of contacts that were a single successful one, of all chains.", "SQM Group",
        {"one_and_done": 1}, {"episodes": 1}, table="fcr", maturity="final"),
    Kpi("returned_rate", "Contacts followed by another", "ratio", "anchor", "ended",
        "Contacts after which the customer came back within the window; only of those whose window has passed.",
        "QueueMetrics FCR", {"repeated": 1}, {"anchors": 1}, table="fcr", maturity="final"),
    Kpi("repeat_contact_rate", "Repeat contact rate", "ratio", "contact", "started",
        "Contacts that repeat an earlier one, of all inbound ones of known customers; final at once.",
        "Call Centre Helper", {"repeats": 1}, {"candidates": 1}, table="fcr", maturity="all"),
)  # fmt: skip


def windowed(kpi: Kpi, days: int) -> Kpi:
    """The KPI for another length of the window, as a variant."""
    return replace(kpi, id=f"{kpi.id}.w{days}d", name=f"{kpi.name}, {days} d", days=days, variant_of=kpi.id)


@cache
def repeats(rules: FcrRules) -> tuple[Kpi, ...]:
    """KPIs of the default window under their own names, and of every window as variants."""
    default = tuple(replace(kpi, days=rules.default_days, dated_days=rules.dated_days) for kpi in JUDGED)
    return (*default, COVERAGE, *(windowed(kpi, days) for kpi in JUDGED for days in rules.windows_days))
