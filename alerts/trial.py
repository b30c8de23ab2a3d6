"""A test of rules carried out: its series looked at as minutes of ClickHouse would be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from alerts.counting import Source, is_bounded, is_gauge, percent_of
from alerts.detectors import detector_of
from alerts.episodes import Episode, of_parts
from alerts.fixtures import Counted, Expected, InputSeries, Trial, TrialFile
from alerts.label_sets import LabelSet, is_meant, labels_at, parts_of, series
from alerts.rule import Group, Rule, RuleFile
from alerts.sense import Where
from alerts.when import LogMeanWhen
from kpis.catalogue.every_kpi import every_kpi
from kpis.catalogue.kpi import Kpi
from kpis.dips.ladder import Series
from kpis.dips.log_mean import unit_of
from kpis.rules import Rules
from reports.beyond_minutes import Limits
from reports.minutes import MinuteSums
from schemas.time_units import HOUR_MS, MINUTE_MS

Pair = tuple[int, int]
LOGS = {"log_sum": 1, "log_squares": 2}  # what is summed of logarithms, by measure


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was expected and did not come, and what came unexpected; at a time, or (None) of all episodes."""

    at: int | None
    missing: tuple[Expected, ...]
    unexpected: tuple[Episode, ...]


def meaningless(file: TrialFile, rules: RuleFile, kpis: Mapping[str, Kpi]) -> Iterator[tuple[Where, str]]:
    """What is well written and cannot be tried, with what to write instead."""
    alerts, queries = {rule.alert: rule for group in rules.groups for rule in group.counted}, rules.queries
    looked_at = sorted({rule.kpi for rule in alerts.values()})
    single = {rule.kpi for rule in alerts.values() if isinstance(rule.when, LogMeanWhen)}
    single |= {name for name in looked_at if name in kpis and percent_of(kpis[name])}
    for t, trial in enumerate(file.tests):
        for s, each in enumerate(trial.series):
            where: Where = ("tests", t, "series", s)
            if each.kpi not in looked_at:
                yield (*where, "kpi"), f"no rule looks at {each.kpi}; they look at {', '.join(looked_at)}"
            elif fault := odd_counts(each, kpis[each.kpi], each.kpi in single):
                yield (*where, "counts"), fault
        moments = [(("at", m, "firing"), moment.firing) for m, moment in enumerate(trial.at)]
        for place, expected in [(("expect",), trial.expect or ()), *moments]:
            for e, one in enumerate(expected):
                where = ("tests", t, *place, e)
                if one.alert in queries:
                    yield (
                        (*where, "alert"),
                        f"{one.alert} is a query: only ClickHouse can say what it would do",
                    )
                elif one.alert not in alerts:
                    close = get_close_matches(one.alert, alerts, 1)
                    said = f"did you mean {close[0]}?" if close else f"there are {', '.join(alerts)}"
                    yield (*where, "alert"), f"no rule {one.alert}; {said}"
                elif odd := one.labels.keys() - {*alerts[one.alert].by}:
                    own = ", ".join(alerts[one.alert].by) or "none"
                    yield (*where, "labels"), f"{one.alert} has no label {min(odd)}; its labels: {own}"


def odd_counts(given: InputSeries, kpi: Kpi, single: bool) -> str:
    """Why counts cannot be those of a KPI, or of one whose durations are looked at; "" if they can."""
    known = [each for each in given.counts if each is not None]
    if single and not all(each.single for each in known):
        return f"single durations of {kpi.id} are looked at: write each duration, such as 60s,90s,200sx30"
    if kpi.unit != "ms" and any(len(each.single) > 1 for each in known):
        return f"{kpi.id} is no time: write one count, such as 9/10x60"
    if kpi.den and kpi.unit != "ms" and any(each.of is None for each in known):
        return f"{kpi.id} is a quotient: write both, such as 9/10x60"
    if kpi.unit == "ratio" and any(each.of is not None and each.amount > each.of for each in known):
        return f"{kpi.id} is a share: not more than all of them"
    if not kpi.den and not is_gauge(kpi) and not single and any(each.of is not None for each in known):
        return f"{kpi.id} is a count: write one number, such as 5x60"
    return ""


def carried_out(trial: Trial, file: RuleFile, rules: Rules, zone: str) -> list[Outcome]:
    """What was otherwise than expected: nothing where the test is passed."""
    found = [
        episode for group in file.groups for rule in group.counted
        for episode in of_rule(trial, group, rule, rules, zone)
    ]  # fmt: skip
    outcomes = [] if trial.expect is None else [judged(trial, None, trial.expect, found)]
    for moment in trial.at:
        at = trial.begin + moment.time
        firing = [one for one in found if one.fired_at <= at and (one.ended_at is None or at < one.ended_at)]
        outcomes.append(judged(trial, moment.time, moment.firing, firing))
    return [outcome for outcome in outcomes if outcome.missing or outcome.unexpected]


def of_rule(trial: Trial, group: Group, rule: Rule, rules: Rules, zone: str) -> Iterator[Episode]:
    """Episodes of one rule, all label sets."""
    kpis = every_kpi(rules)
    kpi, detector = kpis[rule.kpi], detector_of(rule, kpis[rule.kpi], zone)
    parts = parts_of(rule, kpi, kpis)
    labelled: dict[LabelSet, list[Series]] = {}
    for number, (source, counted) in enumerate(parts):
        for labels, own in of_source(trial, rule, counted, source, rules).items():
            labelled.setdefault(labels, [Series() for _ in parts])[number] = own
    begin, end = trial.begin + trial.from_, trial.begin + trial.end
    for labels, own_parts in sorted(labelled.items()):
        yield from of_parts(group, rule, kpi, labels, own_parts, (begin, end), detector)


def of_source(trial: Trial, rule: Rule, kpi: Kpi, source: Source, rules: Rules) -> dict[LabelSet, Series]:
    """Series per label set of what one part of a rule looks at."""
    length = HOUR_MS if source.hourly else MINUTE_MS
    sums: dict[LabelSet, dict[int, Pair]] = {}
    for each in trial.series:
        about = MinuteSums(0, each.channel, each.queue, {}, each.dimensions)
        known = (each.kpi, each.days or 0) == (rule.kpi, source.days)
        if not known or not {*source.further} <= {*each.dimensions}:
            continue
        if not is_meant(rule, about, kpi, rules.async_channels):
            continue
        found = sums.setdefault(labels_at(rule, about), {})
        for number, one in enumerate(each.counts):
            if one is not None:
                minute = (trial.begin + number * each.every) // length * length
                found[minute] = added(found.get(minute), kpi, one, source.limits)
    return {labels: series(found, is_bounded(kpi)) for labels, found in sums.items()}


def added(before: Pair | None, kpi: Kpi, one: Counted, limits: Limits | None) -> Pair:
    """Counts of a minute with those of one more series."""
    measure = next(iter(kpi.num), "")
    longest, amount = is_gauge(kpi) and kpi.figure is not None, one.amount
    if limits is not None:
        amount = sum(limits.passed(measure, duration) for duration in one.single)
    if power := LOGS.get(measure):
        amount = sum(unit_of(duration) ** power for duration in one.single)
    n = one.of if one.of is not None else 1 if longest or kpi.den else amount
    if before is None:
        return amount, n
    return (max(before[0], amount) if longest else before[0] + amount), before[1] + n


def judged(trial: Trial, at: int | None, expected: tuple[Expected, ...], found: list[Episode]) -> Outcome:
    """Each expected episode takes one that is as it says; what is left over on either side is told."""
    left, missing = list(found), []
    for one in expected:
        match = next((each for each in left if is_as(each, one, trial.begin)), None)
        if match is None:
            missing.append(one)
        else:
            left.remove(match)
    return Outcome(at, tuple(missing), tuple(left))


def is_as(episode: Episode, wanted: Expected, begin: int) -> bool:
    """Is an episode what was expected, in all that is written?"""
    ended = None if episode.ended_at is None else episode.ended_at - begin
    pairs = (
        (wanted.fired, episode.fired_at - begin),
        (wanted.ended, ended),
        (wanted.ending, episode.ending or "firing"),
        (wanted.value, episode.value),
        (wanted.n, episode.seen.n),
    )
    labels = dict(episode.labels)
    return (
        episode.alert == wanted.alert
        and all(labels.get(name) == value for name, value in wanted.labels.items())
        and all(asked is None or asked == got for asked, got in pairs)
    )
