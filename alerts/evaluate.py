"""One evaluation of a group: from minutes to standings, changes and what is to be said, all or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from alerts.episodes import objective_of, timing_of
from alerts.label_sets import LabelSet, series_of
from alerts.ledger import Ledger, labels_of, labels_text
from alerts.message import message
from alerts.rule import Group, Rule
from kpis.catalogue.kpi import Kpi
from kpis.dips.critical import CriticalCounts
from kpis.dips.episodes import transitions
from kpis.dips.ladder import Look, Objective, Series, counts_of, look
from kpis.dips.machine import Standing, Transition
from reports.minutes import MinuteSums

TOLD = ("firing", "resolved", "expired")


class Evaluator:
    """Evaluates the rules of a file; keeps tables of critical counts between evaluations."""

    def __init__(
        self,
        kpis: Mapping[str, Kpi],
        async_channels: tuple[str, ...],
        ledger: Ledger,
        receivers: tuple[str, ...],
    ) -> None:
        self.kpis, self.async_channels, self.ledger, self.receivers = kpis, async_channels, ledger, receivers
        self._counts: dict[Objective, CriticalCounts] = {}

    def evaluate(
        self, group: Group, minutes: Sequence[MinuteSums], span: tuple[int, int], now: int
    ) -> list[Transition]:
        """All steps in (begin, end] of all rules. What is too old is recorded, not told."""
        told: list[Transition] = []
        with self.ledger.transaction():
            for rule in group.rules:
                told += self._rule(group, rule, minutes, span, now)
            self.ledger.advance(group.name, span[1])
        return told

    def _rule(
        self, group: Group, rule: Rule, minutes: Sequence[MinuteSums], span: tuple[int, int], now: int
    ) -> list[Transition]:
        objective = objective_of(rule.when)
        counts = self._counts.setdefault(objective, counts_of(objective))
        known = self.ledger.standings(rule.alert)
        kpi, found = self.kpis[rule.kpi], []
        series = series_of(rule, kpi, minutes, self.async_channels)
        for labels in quiet_ones(rule, known, series):
            series[labels] = Series()
        for labels, own in series.items():
            before = known.get(labels_text(labels), Standing())
            now_standing = before
            for standing, changed in transitions(
                own, span, group.interval, objective, timing_of(rule), counts, before
            ):
                if changed is not None and changed.to in TOLD:
                    seen = look(own, changed.at, now_standing.restart, objective, counts)
                    self._tell(group, rule, labels, changed, seen, now)
                    found.append(changed)
                now_standing = standing
            if now_standing != before:
                self.ledger.stand(rule.alert, labels, now_standing)
        return found

    def _tell(
        self, group: Group, rule: Rule, labels: LabelSet, changed: Transition, seen: Look, now: int
    ) -> None:
        """Into the ledger, and to all receivers while it is news."""
        episode = self.ledger.record(
            rule.alert, labels, changed.to, changed.at, changed.opened_at, asdict(seen), now
        )
        if now - settle_of(group) - changed.at <= rule.max_age:
            body = message(group, rule, labels, changed, seen, episode)
            for receiver in self.receivers:
                self.ledger.enqueue(episode, changed.to, receiver, body, now)


def settle_of(group: Group) -> int:
    """How long the newest minutes are left alone."""
    return max(rule.settle for rule in group.rules)


def quiet_ones(
    rule: Rule, known: Mapping[str, Standing], series: Mapping[LabelSet, Series]
) -> list[LabelSet]:
    """Label sets that are pending or firing and of which nobody has called lately: their clock goes on."""
    present = {labels_text(labels) for labels in series}
    waiting = [
        text for text, standing in known.items() if standing.state != "inactive" and text not in present
    ]
    return [labels_of(text) for text in waiting]
