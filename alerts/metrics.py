"""What Prometheus sees of alerting: when rules were last evaluated, what fires, and whether all is well."""

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Gauge

from alerts.ledger import Ledger
from alerts.rule import RuleFile
from alerts.watching import is_well


class AlertMetrics:
    """Read from the ledger once a minute, by the process that has the voice."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def gauge(name: str, help_: str, *labels: str) -> Gauge:
            return Gauge(f"ringback_alerts_{name}", help_, labels, registry=self.registry)

        self.evaluated = gauge(
            "evaluated_timestamp_seconds", "Up to when a group of rules is evaluated, in Unix time.", "group"
        )
        self.firing = gauge("firing", "Label sets for which a rule fires.", "alert")
        self.outbox = gauge("notifications", "Notifications in the outbox by state.", "state")
        self.faults = gauge("faults", "What is wrong with alerting, as `meta` is told: 0 is well.")
        self.well = gauge(
            "well_timestamp_seconds",
            "When rules were last evaluated and notifications left, in Unix time: alarm when it is older "
            "than five minutes, or is not there.",
        )
        self.speaks = gauge("speaks", "1 in the evaluator that has the voice, 0 in those that wait for it.")
        self.all = (self.evaluated, self.firing, self.outbox, self.faults, self.well, self.speaks)

    def show(self, ledger: Ledger, file: RuleFile, faults: Collection[str], now_ms: int) -> None:
        """How it stands."""
        firing = ledger.firing()
        for group in file.groups:
            position = ledger.position(group.name)
            if position is not None:
                self.evaluated.labels(group.name).set(position / 1000)
            for rule in group.rules:
                self.firing.labels(rule.alert).set(sum(alert == rule.alert for alert, _ in firing))
        counts = ledger.counts()
        for state in ("waiting", "sent", "dead", "dropped", "grouped", "over"):
            self.outbox.labels(state).set(counts.get(state, 0))
        self.faults.set(len(faults))
        self.speaks.set(1)
        if is_well(faults):
            self.well.set(now_ms / 1000)

    def silent(self) -> None:
        """Another evaluator has the voice."""
        self.speaks.set(0)
