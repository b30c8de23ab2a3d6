"""One evaluation of a group: from minutes to standings, changes and what is to be said, all or nothing."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, NamedTuple

from alerts.asking import Answer, QueryFault
from alerts.cells import Cells
from alerts.decisions import told_changes
from alerts.detectors import detector_of, detector_of_answers, timing_of
from alerts.failing import failed, worked
from alerts.grouping import tell
from alerts.label_sets import LabelSet, Memory, Minutes, parts_of, series_of
from alerts.ledger import Ledger, labels_of, labels_text
from alerts.message import QUERIED, REASON_NO_DATA, digest, message
from alerts.receivers import Receiver
from alerts.retiring import retire
from alerts.route import Route
from alerts.routing import Way, way_to, ways
from alerts.rule import Group, Rule, RuleFile
from alerts.when import AbsenceWhen, SeasonalWhen, SqlWhen
from kpis.catalogue.every_kpi import every_kpi
from kpis.dips.detector import Detector
from kpis.dips.ladder import Look, Series
from kpis.dips.machine import Standing, Transition
from kpis.rules import Rules

NO_ANSWERS: Mapping[str, Answer | QueryFault] = {}
Guard = Callable[[], None]  # raises where another evaluator has taken over


def unguarded() -> None:
    """There is no other evaluator."""


class Evaluator:
    """Evaluates the rules of a file; keeps tables of critical counts between evaluations."""

    def __init__(
        self,
        rules: Rules,
        ledger: Ledger,
        receivers: Sequence[Receiver],
        zone: str = "UTC",
        guard: Guard = unguarded,
        route: Route | None = None,
    ) -> None:
        self.rules, self.ledger, self.receivers, self.zone = rules, ledger, receivers, zone
        self.guard, self.route = guard, route
        self._missed: dict[str, tuple[dict[str, object], bool]] = {}
        self.kpis = every_kpi(rules)
        self._detectors: dict[str, Detector] = {}
        self.memory: Memory = {}
        self._cells: dict[str, Cells] = {}

    def detectors(self, group: Group) -> dict[str, Detector]:
        """What looks at the minutes of each rule of a group."""
        for rule in group.counted:
            if rule.alert not in self._detectors:
                self._detectors[rule.alert] = detector_of(rule, self.kpis[rule.kpi], self.zone)
        return self._detectors

    def evaluate(
        self,
        group: Group,
        minutes: Minutes,
        span: tuple[int, int],
        now: int,
        answers: Mapping[str, Answer | QueryFault] = NO_ANSWERS,
    ) -> list[Transition]:
        """All steps in (begin, end], of queries the last one. What is too old is recorded, not told."""
        told: list[Transition] = []
        with self.ledger.transaction():
            self.guard()
            self._missed = {}
            for rule in group.counted:
                told += self._rule(group, rule, minutes, span, now)
            for rule, when in group.queries:
                told += self._query(group, rule, when, answers.get(rule.alert), span[1], now)
            self._after_outage(group, span, now)
            self.ledger.advance(group.name, span[1])
        return told

    def retire(self, file: RuleFile, now: int) -> int:
        """End what fires by rules that are gone from the file; how many."""
        with self.ledger.transaction():
            self.guard()
            return retire(self.ledger, file, self.receivers, now, self.route)

    def _after_outage(self, group: Group, span: tuple[int, int], now: int) -> None:
        """Of what came too late: a page for what still fires, with its opening; one digest for the rest."""
        over: list[dict[str, Any]] = [body for body, fires in self._missed.values() if not fires]
        for episode, (body, fires) in self._missed.items():
            if fires:
                self._send(episode, "firing", body, now)
        for receiver in self.receivers if over else ():
            if own := [body for body in over if ways([receiver], self.route, body)]:
                episode = f"digest-{group.name}-{span[0]}"
                tell(self.ledger, Way(receiver), episode, "digest", digest(own), now)

    def _send(self, episode: str, kind: str, body: dict[str, object], now: int) -> None:
        if kind == "firing":
            found = ways(self.receivers, self.route, body)
        else:  # an end goes to whoever was told of the beginning, as in the stead of another receiver
            found = [way_to(receiver, self.route, body) for receiver in self.receivers]
        for way in found:
            tell(self.ledger, way, episode, kind, body, now)

    def _rule(
        self, group: Group, rule: Rule, minutes: Minutes, span: tuple[int, int], now: int
    ) -> list[Transition]:
        parts = series_of(rule, self.kpis, minutes, self.rules.async_channels, self._cells_of(group, span))
        number = len(parts_of(rule, self.kpis[rule.kpi], self.kpis))
        return self._decide(group, rule, self.detectors(group)[rule.alert], parts, number, span, now)

    def _query(
        self, group: Group, rule: Rule, when: SqlWhen, answer: Answer | QueryFault | None, at: int, now: int
    ) -> list[Transition]:
        """A rule that is a query: where that failed the rule stands as it did."""
        if answer is None or isinstance(answer, QueryFault):
            failed(self.ledger, rule.alert, str(answer or "it was not asked"))
            return []
        worked(self.ledger, rule.alert)
        detector, parts = detector_of_answers(when, group.interval), dict[LabelSet, list[Series]]()
        for labels, (value, n) in answer.items():
            parts[labels] = [Series()]
            parts[labels][0].add(at - 1, value, n)
        return self._decide(group, rule, detector, parts, 1, (at - group.interval, at), now)

    def _decide(
        self,
        group: Group,
        rule: Rule,
        detector: Detector,
        parts: dict[LabelSet, list[Series]],
        number: int,
        span: tuple[int, int],
        now: int,
    ) -> list[Transition]:
        """All label sets of a rule, from where each stood, by series of so many parts."""
        timing, known, found = timing_of(rule), self.ledger.standings(rule.alert), []
        for labels in quiet_ones(known, parts):
            parts[labels] = [Series() for _ in range(number)]
        for labels, own in parts.items():
            before = known.get(labels_text(labels), Standing())
            standing = before
            for now_standing, changed, seen in told_changes(
                own, span, group.interval, detector, timing, before
            ):
                standing = now_standing
                if changed is not None and seen is not None:
                    self._tell(group, rule, labels, changed, seen, now)
                    found.append(changed)
            if standing != before:
                self.ledger.stand(rule.alert, labels, standing)
        return found

    def _cells_of(self, group: Group, span: tuple[int, int]) -> Cells | None:
        """What is kept of windows between evaluations, where all rules look at one stretch of them alone."""
        if any(isinstance(rule.when, AbsenceWhen | SeasonalWhen) for rule in group.counted):
            return None
        cells = self._cells.setdefault(group.name, Cells())
        cells.begin = min(each.spans(*span)[0][0] for each in self.detectors(group).values())
        return cells

    def _tell(
        self, group: Group, rule: Rule, labels: LabelSet, changed: Transition, seen: Look, now: int
    ) -> None:
        """Into the ledger, and to all receivers while it is news."""
        episode = self.ledger.record(
            rule.alert, labels, changed.to, changed.at, changed.opened_at, document(rule, changed, seen), now
        )
        begun = fired_with(self.ledger, episode) or Fired(seen, False, "")
        body = message(
            group, rule, self.kpis.get(rule.kpi, QUERIED), labels, changed, begun.seen, episode, begun.silent
        )  # fmt: skip
        if begun.rule not in ("", revision(rule)):
            body["rule_edited"] = True
        is_news = now - settle_of(group) - changed.at <= rule.max_age
        if changed.to == "firing" and not is_news:
            self._missed[episode] = body, True
        elif episode in self._missed:  # how long ago it ended is no matter: nobody knows that it began
            self._missed[episode] = self._missed[episode][0], False
        else:
            self._send(episode, changed.to, body, now)


def document(rule: Rule, changed: Transition, seen: Look) -> dict[str, object]:
    """What was looked at, by which revision of the rule, and why it changed where counts do not say so."""
    found = asdict(seen) | {"rule": revision(rule)}
    return found | ({"reason": REASON_NO_DATA} if changed.silent else {})


def revision(rule: Rule) -> str:
    """What a rule decides by, as it is written: the same unless that is edited."""
    written = rule.model_dump(exclude_unset=True, exclude={"annotations", "labels"})
    return hashlib.sha256(repr(written).encode()).hexdigest()[:8]


class Fired(NamedTuple):
    """How an episode began: an end is told with these figures."""

    seen: Look
    silent: bool  # nobody called
    rule: str  # its revision; "" where none was noted


def fired_with(ledger: Ledger, episode: str) -> Fired | None:
    """What was looked at when an episode fired."""
    for change in ledger.of_episode(episode):
        if change.kind == "firing":
            looked = {each.name: change.seen[each.name] for each in fields(Look)}
            silent = change.seen.get("reason") == REASON_NO_DATA
            return Fired(Look(**looked), silent, change.seen.get("rule", ""))
    return None


def settle_of(group: Group) -> int:
    """How long the newest minutes are left alone."""
    return max(rule.settle for rule in group.rules)


def quiet_ones(known: Mapping[str, Standing], present: Mapping[LabelSet, object]) -> list[LabelSet]:
    """Label sets that are pending or firing and of which nobody has called lately: their clock goes on."""
    there = {labels_text(labels) for labels in present}
    waiting = [text for text, standing in known.items() if standing.state != "inactive" and text not in there]
    return [labels_of(text) for text in waiting]
